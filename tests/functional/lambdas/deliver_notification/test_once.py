"""A delivery sends one mail, also when runs die or overlap; without a mail it says so in the audit."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import ReadTimeoutError

from lambdas.common.audit import chain
from lambdas.common.aws import vault
from lambdas.common.contracts.document import without_empty
from lambdas.common.errors import DependencyUnavailableError
from lambdas.delivery import audit, delivery
from lambdas.delivery.context import DeliveryContext
from lambdas.delivery.ledger.deliveries import transitions
from lambdas.delivery.ledger.items import DeliveryItem
from lambdas.delivery.ledger.sending import rate
from lambdas.delivery.mail import mailer
from lambdas.delivery.mail.seal import is_sealed, seal_of
from tests.functional.lambdas.deliver_notification.world import (
    EVENT_ID,
    DeliveryWorld,
    ledger_items,
    sent_mails,
    ses_answers,
)
from tests.support.audit import file_damaged
from tests.support.interruptions import Death, dying

POINTS: list[tuple[Any, str]] = [
    (vault, "read_document"),
    (delivery, "starting_point"),
    (mailer, "build"),
    (mailer, "store"),
    (transitions, "claim"),
    (rate, "may_send"),
    (delivery, "enlisted"),
    (delivery, "why_suppressed"),
    (transitions, "begin_sending"),
    (mailer, "send"),
    (transitions, "confirm"),
    (chain, "append_decided"),
]
IN_DOUBT = {
    ("begin_sending", "after"),
    ("send", "before"),
    ("send", "after"),
    ("confirm", "before"),
}
"""Between the mark that a send begins and the answer in the ledger nobody can know."""


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(
    ("module", "name"), POINTS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_crash_at_any_point_never_sends_two_and_never_hides_that_none_went(
    context: DeliveryContext,
    aws: Any,
    monkeypatch: pytest.MonkeyPatch,
    module: Any,
    name: str,
    moment: str,
) -> None:
    world = DeliveryWorld(context)
    monkeypatch.setattr(transitions, "LEASE_MS", -1)  # the next run comes long after
    with monkeypatch.context() as crash:
        crash.setattr(module, name, dying(getattr(module, name), moment))
        with pytest.raises(Death):
            world.run()
    gone_before = len(sent_mails())

    outcome = world.run()["outcome"]

    if (name, moment) in IN_DOUBT:
        assert outcome == "unknown"
        assert len(sent_mails()) == gone_before
        assert world.actions == ["UNKNOWN"]
    else:
        assert outcome == "sent"
        assert len(sent_mails()) == 1
        assert world.actions.count("SENT") == 1

    assert world.run()["outcome"] == outcome
    assert len(sent_mails()) <= 1


def test_an_audit_that_cannot_be_written_after_the_mail_went_is_written_by_the_next_run(
    context: DeliveryContext, aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = DeliveryWorld(context)
    with monkeypatch.context() as outage:
        outage.setattr(chain, "_append", failing(DependencyUnavailableError("dynamodb: down")))
        with pytest.raises(DependencyUnavailableError):
            world.run()
    assert world.actions == []

    assert world.run()["outcome"] == "sent"
    assert len(sent_mails()) == 1
    [entry] = chain.entries(context, EVENT_ID)
    assert entry["action"] == "SENT"
    assert entry["documents"] == [without_empty(world.item["document"])]
    assert entry["ses_message_id"] == world.item["ses_message_id"]


def failing(error: Exception) -> Callable[..., Any]:
    """Something that always raises `error`."""

    def act(*arguments: Any, **named: Any) -> Any:
        raise error

    return act


@pytest.mark.parametrize("writes", ["claimed", "sending", "sent", "held"])
def test_a_write_whose_answer_is_lost_is_repeated_and_the_delivery_goes_on(
    context: DeliveryContext, aws: Any, monkeypatch: pytest.MonkeyPatch, writes: str
) -> None:
    """The client repeats a write that was made already, so its condition must hold for its own work."""
    if writes == "held":
        monkeypatch.setattr(rate, "may_send", lambda *_: False)
    world = DeliveryWorld(context)
    with answer_lost(context, writes) as lost:
        outcome = world.run()["outcome"]
    assert lost == [writes]
    assert outcome == ("held" if writes == "held" else "sent")
    assert len(sent_mails()) == (0 if writes == "held" else 1)


@contextmanager
def answer_lost(context: DeliveryContext, state: str) -> Iterator[list[str]]:
    """DynamoDB makes the first write that sets this state, and the client hears of it only at its second try."""
    events, lost = context.client("dynamodb").meta.events, list[str]()

    def once(request: AWSPreparedRequest, **_: Any) -> None:
        values = json.loads(request.body).get("ExpressionAttributeValues", {})
        if not lost and values.get(":new_state") == {"S": state}:
            lost.append(state)
            raise ReadTimeoutError(endpoint_url=request.url)

    # Last: moto has made the write by then.
    events.register_last("before-send.dynamodb.UpdateItem", once)
    try:
        yield lost
    finally:
        events.unregister("before-send.dynamodb.UpdateItem", once)


def test_a_run_that_finds_another_at_it_leaves_it_alone(context: DeliveryContext, aws: Any) -> None:
    world = DeliveryWorld(context)
    inner: list[Exception] = []

    def meanwhile(*arguments: Any) -> str:
        try:
            world.run_beside()
        except DependencyUnavailableError as error:
            inner.append(error)
        return "ses-message-id"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mailer, "send", meanwhile)
        assert world.run()["outcome"] == "sent"

    assert [str(error) for error in inner] == ["ledger: another run is making this delivery"]
    assert world.actions.count("SENT") == 1


def test_two_runs_at_once_send_one_mail(context: DeliveryContext, aws: Any) -> None:
    world = DeliveryWorld(context)
    at_the_start = threading.Barrier(2)
    real, outcomes = mailer.store, []

    def together(*arguments: Any, **named: Any) -> Any:
        stored = real(*arguments, **named)
        at_the_start.wait(timeout=60)
        return stored

    def run() -> None:
        try:
            outcomes.append(world.run_beside()["outcome"])
        except DependencyUnavailableError:
            outcomes.append("again later")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mailer, "store", together)
        threads = [threading.Thread(target=run) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)

    assert "sent" in outcomes
    assert set(outcomes) <= {"sent", "again later"}
    assert len(sent_mails()) == 1
    assert world.run()["outcome"] == "sent"
    assert world.actions.count("SENT") == 1
    assert len([item for item in ledger_items() if "event_id" in item]) == 1


@pytest.mark.parametrize("moment", ["before it looks at the chain", "before it writes"])
def test_two_runs_record_the_one_mail_once(
    context: DeliveryContext, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """The second run finds the mail sent, and no entry, because the first has not written it yet."""
    world = DeliveryWorld(context)
    module, name = (audit, "of_delivery") if "looks" in moment else (chain, "_write")
    real = getattr(module, name)

    def beside(*arguments: Any, **named: Any) -> Any:
        monkeypatch.setattr(module, name, real)
        assert world.run_beside()["outcome"] == "sent"
        return real(*arguments, **named)

    monkeypatch.setattr(module, name, beside)
    assert world.run()["outcome"] == "sent"
    assert len(sent_mails()) == 1
    assert world.actions.count("SENT") == 1


def test_a_claim_that_was_lost_to_another_run_does_not_send(
    context: DeliveryContext, aws: Any
) -> None:
    world = DeliveryWorld(context)
    real = transitions.begin_sending

    def robbed(own: DeliveryContext, ours: DeliveryItem, attempt: str, document: Any) -> None:
        transitions.release(context, ours, attempt)
        transitions.claim(context, ours, "another attempt")
        real(own, ours, attempt, document)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transitions, "begin_sending", robbed)
        with pytest.raises(DependencyUnavailableError, match="took this delivery over"):
            world.run()
    assert sent_mails() == []


def test_a_slow_run_that_was_given_up_on_still_tells_what_it_knows(
    context: DeliveryContext, aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transitions, "LEASE_MS", -1)
    world = DeliveryWorld(context)
    real = mailer.send

    def slowly(*arguments: Any) -> str:
        monkeypatch.setattr(mailer, "send", real)
        assert world.run_beside()["outcome"] == "unknown"
        return real(*arguments)

    monkeypatch.setattr(mailer, "send", slowly)
    assert world.run()["outcome"] == "sent"
    assert world.item["state"] == "sent"
    assert world.actions == ["UNKNOWN", "SENT"]
    assert len(sent_mails()) == 1


def test_a_delivery_that_a_person_holds_back_is_not_sent(
    context: DeliveryContext, aws: Any
) -> None:
    world = DeliveryWorld(context)
    with ses_answers(context, ReadTimeoutError(endpoint_url="x")):
        world.run()
    ledger_item = world.item
    aws.client("dynamodb").update_item(
        TableName="ledger",
        Key={"delivery_id": {"S": ledger_item["delivery_id"]}},
        UpdateExpression="SET #state = :held",
        ExpressionAttributeNames={"#state": "state"},
        ExpressionAttributeValues={":held": {"S": "held"}},
    )
    assert world.run()["outcome"] == "held"
    assert sent_mails() == []


def test_a_mail_that_cannot_be_added_to_its_thread_is_sent_and_audited(
    context: DeliveryContext, aws: Any
) -> None:
    def refused(*_: Any) -> None:
        raise DependencyUnavailableError("dynamodb UpdateItem: ThrottlingException")

    world = DeliveryWorld(context)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delivery, "add_mail", refused)
        assert world.run()["outcome"] == "sent"
    assert world.actions.count("SENT") == 1


@pytest.mark.parametrize("seal", ["", "k1." + "0" * 64, "k9." + "0" * 64, "x"])
def test_a_mail_that_somebody_else_wrote_to_the_vault_is_not_sent(
    seal: str, context: DeliveryContext, aws: Any
) -> None:
    """Without the seal, a role that may write objects could send any text to any recipient."""
    world = DeliveryWorld(context)
    aws.client("s3").put_object(
        Bucket=context.settings.vault_bucket,
        Key=f"events/{EVENT_ID}/mail/{world.delivery_id}.eml",
        Body=b"From: a@ens.example\r\nTo: b@care.example\r\nSubject: Planted\r\n\r\nPlanted\r\n",
        Metadata={"seal": seal} if seal else {},
    )
    assert world.run()["outcome"] == "sent"
    [mail] = sent_mails()
    assert "Planted" not in mail.as_string()


def test_a_sealed_mail_cannot_be_moved_to_another_delivery(
    context: DeliveryContext, aws: Any
) -> None:
    keys = context.audit_keys
    seal = seal_of(keys, EVENT_ID, "d1", b"mail")
    assert is_sealed(seal, keys, EVENT_ID, "d1", b"mail")
    assert not is_sealed(seal, keys, EVENT_ID, "d2", b"mail")
    assert not is_sealed(seal, keys, "e2", "d1", b"mail")
    assert not is_sealed(seal, keys, EVENT_ID, "d1", b"Mail")


def test_a_seal_outside_ascii_is_no_seal(context: DeliveryContext) -> None:
    """S3 returns metadata as another client wrote it."""
    keys = context.audit_keys
    assert not is_sealed(f"{keys.current}.é", keys, EVENT_ID, "d1", b"mail")


def test_what_the_first_attempt_wrote_is_what_every_attempt_sends(
    context: DeliveryContext, aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = DeliveryWorld(context)
    with monkeypatch.context() as outage:
        outage.setattr(transitions, "claim", failing(DependencyUnavailableError("dynamodb: down")))
        with pytest.raises(DependencyUnavailableError):
            world.run()
    first = vault.write_once(
        context, EVENT_ID, f"mail/{world.delivery_id}.eml", b"", "message/rfc822"
    ).body
    world.task["clinical"] = {"outcome": "unavailable"}
    world.run()

    [mail] = sent_mails()
    assert mail["Date"].encode() in first
    plain, _ = mail.iter_parts()
    assert "I48.91" in plain.get_content()


def test_a_damaged_audit_item_under_an_event_stops_none_of_its_deliveries(
    context: DeliveryContext,
) -> None:
    world = DeliveryWorld(context)
    file_damaged(EVENT_ID, delivery_id=world.delivery_id)
    for _ in range(2):
        assert world.run()["outcome"] == "sent"
    assert len(sent_mails()) == 1
