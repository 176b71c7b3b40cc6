"""An address that fails: the directory's fallback is told instead, once."""

from dataclasses import replace

import pytest
from botocore.exceptions import ReadTimeoutError

from lambdas.common.audit import chain
from lambdas.common.errors import DeliveryRefusedError
from lambdas.delivery.context import DeliveryContext
from lambdas.delivery.decisions import holds
from lambdas.delivery.ledger.items import AddressProblemState
from lambdas.delivery.ledger.sending import address_problems
from lambdas.record_feedback.handler import lambda_handler as feedback
from tests.functional.lambdas.deliver_notification.world import (
    ADMISSION,
    EVENT_ID,
    RECIPIENT,
    DeliveryWorld,
    file_relationship,
    ledger_items,
    refusal,
    sent_mails,
    ses_answers,
)
from tests.functional.lambdas.release_deliveries.world import (
    DIGEST,
    STAND_IN,
    due_now,
    release,
    states,
    world_with_fallback,
    worlds,
)
from tests.support.lambda_context import LambdaContext
from tests.support.ses_events import ses_event


@pytest.mark.parametrize("event_type", ["Bounce", "Complaint"])
def test_a_bounce_or_complaint_gives_the_address_up_and_tells_the_fallback_once(
    context: DeliveryContext,
    event_type: str,
) -> None:
    world = world_with_fallback(context)
    world.run()
    for _ in range(2):
        feedback.with_context(context)(
            ses_event(event_type, EVENT_ID, world.delivery_id), LambdaContext("RecordFeedback")
        )
        release(context)
    first, second = sent_mails()
    assert (first["To"], second["To"]) == (RECIPIENT.address, STAND_IN.address)
    plain = second.get_body(("plain",))
    assert plain is not None
    said = " ".join(plain.get_content().split())
    assert "It could not be delivered to Dr Petra Lindqvist" in said
    known = address_problems.read(
        context, AddressProblemState.ENDPOINT_BAD, world.item["endpoint_ref"]
    )
    assert known is not None
    assert known.state == "endpoint_bad"
    assert "clinic.example" not in str(ledger_items())


def test_a_fallback_is_told_in_their_own_hours_and_in_whose_place(
    context: DeliveryContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    for event in (ADMISSION, replace(ADMISSION, event_id="2" * 32)):
        with ses_answers(context, refusal("MessageRejected")), pytest.raises(DeliveryRefusedError):
            world_with_fallback(context, patient_event=event).run()
    with monkeypatch.context() as night:
        night.setattr(holds, "own_hours", lambda *_: ("quiet", "2126-11-24T11:00:00.000Z"))
        assert release(context)["held"] == 2
    assert release(context)["due"] == 0
    due_now()
    assert release(context)["sent"] == 1
    [summary] = sent_mails()
    plain = summary.get_body(("plain",))
    assert plain is not None
    said = " ".join(plain.get_content().split())
    assert said.count("It could not be delivered to Dr Petra Lindqvist") == 2


def test_a_mail_that_ses_refuses_is_told_to_the_fallback_once(context: DeliveryContext) -> None:
    world = world_with_fallback(context)
    with ses_answers(context, refusal("MessageRejected")):
        for _ in range(2):
            with pytest.raises(DeliveryRefusedError):
                world.run()
    for _ in range(2):
        release(context)
    assert [mail["To"] for mail in sent_mails()] == [STAND_IN.address]


def test_a_summary_that_ses_refuses_is_told_to_the_fallback_once_for_each_event(
    context: DeliveryContext,
) -> None:
    """The relationship with the third patient ended meanwhile: nobody is told of that event."""
    events = [replace(ADMISSION, event_id=f"{number:032x}") for number in (1, 2, 3)]
    for event, patient_id in zip(events, ("p", "p", "q"), strict=True):
        file_relationship(context, RECIPIENT.provider_id, patient_id=patient_id)
        world = world_with_fallback(context, DIGEST, event, patient_id)
        assert world.run()["outcome"] == "held"
    file_relationship(context, RECIPIENT.provider_id, patient_id="q", active=False)
    due_now()
    with ses_answers(context, refusal("MessageRejected")):
        assert release(context)["refused"] == 1
    for _ in range(2):
        release(context)
    told = {item["event_id"] for item in ledger_items() if item.get("instead_of")}
    assert told == {event.event_id for event in events[:2]}
    assert [mail["To"] for mail in sent_mails()] == [STAND_IN.address] * 2


def test_a_mail_in_which_ses_found_a_virus_is_told_to_the_fallback_at_a_good_address(
    context: DeliveryContext,
) -> None:
    world = world_with_fallback(context)
    world.run()
    for _ in range(2):
        feedback.with_context(context)(
            ses_event("Reject", EVENT_ID, world.delivery_id), LambdaContext("RecordFeedback")
        )
        release(context)
    assert [mail["To"] for mail in sent_mails()] == [RECIPIENT.address, STAND_IN.address]
    endpoint = world.item["endpoint_ref"]
    assert address_problems.read(context, AddressProblemState.ENDPOINT_BAD, endpoint) is None


@pytest.mark.parametrize("kind", ["Transient", "Undetermined"])
def test_a_mail_that_ses_gave_up_is_told_to_the_fallback_and_the_address_stays_in_use(
    context: DeliveryContext, kind: str
) -> None:
    """SES: soft bounces are included only when it fails to deliver after retrying for a period of time."""
    world = world_with_fallback(context)
    world.run()
    for _ in range(2):
        feedback.with_context(context)(
            ses_event("Bounce", EVENT_ID, world.delivery_id, bounceType=kind),
            LambdaContext("RecordFeedback"),
        )
        release(context)
    assert [mail["To"] for mail in sent_mails()] == [RECIPIENT.address, STAND_IN.address]
    endpoint = world.item["endpoint_ref"]
    assert address_problems.read(context, AddressProblemState.ENDPOINT_BAD, endpoint) is None


def test_the_next_event_goes_to_the_fallback_at_once_and_to_a_new_address_again(
    context: DeliveryContext,
) -> None:
    world = world_with_fallback(context)
    world.run()
    feedback.with_context(context)(
        ses_event("Bounce", EVENT_ID, world.delivery_id), LambdaContext("RecordFeedback")
    )
    later = replace(ADMISSION, event_id="9" * 32)
    again = world_with_fallback(context, patient_event=later)
    with pytest.raises(Exception, match="bounced or complained before"):
        again.run()
    release(context)
    assert [mail["To"] for mail in sent_mails()].count(STAND_IN.address) == 2
    moved = DeliveryWorld(
        context,
        (replace(RECIPIENT, address="new@clinic.example"),),
        replace(later, event_id="8" * 32),
    )
    assert moved.run()["outcome"] == "sent"
    [problem] = address_problems.reported(context, AddressProblemState.ENDPOINT_BAD)
    address_problems.clear(context, problem)
    reopened = DeliveryWorld(context, (RECIPIENT,), replace(later, event_id="7" * 32))
    assert reopened.run()["outcome"] == "sent"


def test_what_became_of_a_summary_stands_with_every_event_in_it(context: DeliveryContext) -> None:
    for world in worlds(context, 2):
        world.run()
    due_now()
    with ses_answers(context, ReadTimeoutError(endpoint_url="x")):
        assert release(context)["unknown"] == 1
    assert states() == {"unknown": 3}
    [summary] = [item for item in ledger_items() if item.get("members")]
    for event_type in ("Delivery", "Complaint"):
        for _ in range(2):
            event = ses_event(event_type, summary["event_id"], summary["delivery_id"])
            feedback.with_context(context)(event, LambdaContext("RecordFeedback"))
    assert states() == {"sent": 3}
    for number in (1, 2):
        actions = [entry["action"] for entry in chain.entries(context, f"{number:032x}")]
        assert actions == ["HELD", "UNKNOWN", "DELIVERED", "COMPLAINED"]
