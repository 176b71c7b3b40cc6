"""Whatever dies during a release, a fallback or a feedback: nobody is told twice, nobody is forgotten."""

from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from lambdas.common.audit import chain
from lambdas.delivery import audit, delivery, summary
from lambdas.delivery.context import DeliveryContext
from lambdas.delivery.ledger.deliveries import deliveries, due, transitions
from lambdas.delivery.ledger.deliveries import feedback as feedback_ledger
from lambdas.delivery.ledger.items import AddressProblemState
from lambdas.delivery.ledger.sending import address_problems, rate
from lambdas.delivery.mail import mailer
from lambdas.record_feedback.handler import lambda_handler as feedback
from lambdas.release_deliveries import releasing
from tests.functional.lambdas.deliver_notification.world import (
    RECIPIENT,
    DeliveryWorld,
    sent_mails,
    ses_answers,
)
from tests.functional.lambdas.release_deliveries.world import (
    STAND_IN,
    due_now,
    release,
    states,
    world_with_fallback,
    worlds,
)
from tests.support.interruptions import Death, dying
from tests.support.lambda_context import LambdaContext
from tests.support.ses_events import ses_event

# Two functions share one process' metrics here: the inner one publishes the outer one's.
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")
MOMENTS = pytest.mark.parametrize("moment", ["before", "after"])
IN_DOUBT = {
    ("begin_sending", "after"),
    ("send", "before"),
    ("send", "after"),
    ("confirm", "before"),
}


def names(value: Any) -> str:
    """A point's name among the test's parameters."""
    return value if isinstance(value, str) else ""


@pytest.fixture(autouse=True)
def _long_after(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever comes after a death comes so late that it is known to be one."""
    monkeypatch.setattr(transitions, "LEASE_MS", -1)
    monkeypatch.setattr(transitions, "TAKE_UP_AFTER", -due.TAKE_UP_AFTER)


def dies_at(
    context: DeliveryContext, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, moment: str
) -> None:
    """One release that dies there."""
    with monkeypatch.context() as crash:
        crash.setattr(module, name, dying(getattr(module, name), moment))
        with pytest.raises(Death):
            release(context)


def releases(context: DeliveryContext) -> None:
    """The next minutes' releases."""
    for _ in range(3):
        release(context)


@MOMENTS
@pytest.mark.parametrize(
    ("module", "name"),
    [
        (due, "due_by"),
        (deliveries, "bind"),
        (releasing, "deliver_summary"),
        (summary, "starting_point"),
        (summary, "why_held"),
        (summary, "enlisted"),
        (summary, "rendered"),
        (mailer, "store"),
        (transitions, "claim"),
        (rate, "may_send"),
        (transitions, "begin_sending"),
        (mailer, "send"),
        (transitions, "confirm"),
        (audit, "of_delivery"),
        (chain, "append_decided"),
        (deliveries, "settle_member"),
    ],
    ids=names,
)
def test_a_summary_is_told_once_and_its_members_with_it(
    context: DeliveryContext, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, moment: str
) -> None:
    for world in worlds(context, 2):
        world.run()
    due_now()
    dies_at(context, monkeypatch, module, name, moment)
    gone = len(sent_mails())
    releases(context)

    doubtful = (name, moment) in IN_DOUBT
    assert states() == {"unknown" if doubtful else "sent": 3}
    assert len(sent_mails()) == (gone if doubtful else 1)
    for number in (1, 2):
        actions = [entry["action"] for entry in chain.entries(context, f"{number:032x}")]
        assert actions == ["HELD", "UNKNOWN" if doubtful else "SENT"]


@MOMENTS
@pytest.mark.parametrize(
    ("module", "name"),
    [
        (due, "due_by"),
        (releasing, "deliver"),
        (mailer, "store"),
        (transitions, "claim"),
        (delivery, "enlisted"),
        (delivery, "why_suppressed"),
        (transitions, "begin_sending"),
        (mailer, "send"),
        (transitions, "confirm"),
        (chain, "append_decided"),
    ],
    ids=names,
)
def test_one_held_alone_is_told_once(
    context: DeliveryContext, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, moment: str
) -> None:
    [world] = worlds(context, 1)
    world.run()
    due_now()
    dies_at(context, monkeypatch, module, name, moment)
    gone = len(sent_mails())
    releases(context)

    doubtful = (name, moment) in IN_DOUBT
    assert states() == {"unknown" if doubtful else "sent": 1}
    assert len(sent_mails()) == (gone if doubtful else 1)
    if doubtful:
        assert [e["action"] for e in chain.entries(context, f"{1:032x}")] == ["HELD", "UNKNOWN"]
        return
    for _ in range(2):
        feedback.with_context(context)(
            ses_event("Delivery", f"{1:032x}", world.delivery_id), LambdaContext("RecordFeedback")
        )
    assert [e["action"] for e in chain.entries(context, f"{1:032x}")] == [
        "HELD",
        "SENT",
        "DELIVERED",
    ]


@MOMENTS
@pytest.mark.parametrize(
    ("module", "name"),
    [(transitions, "claim"), (transitions, "hold"), (chain, "append_decided")],
    ids=names,
)
def test_one_that_died_while_it_was_being_held_is_held_by_the_next_run(
    context: DeliveryContext, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, moment: str
) -> None:
    [world] = worlds(context, 1)
    with monkeypatch.context() as crash:
        crash.setattr(module, name, dying(getattr(module, name), moment))
        with pytest.raises(Death):
            world.run()
    assert world.run()["outcome"] == "held"
    assert [entry["action"] for entry in chain.entries(context, f"{1:032x}")] == ["HELD"]
    due_now()
    releases(context)
    assert len(sent_mails()) == 1


@MOMENTS
@pytest.mark.parametrize(
    ("module", "name"),
    [
        (feedback_ledger, "note"),
        (address_problems, "report"),
        (deliveries, "tell_instead"),
        (chain, "append_decided"),
    ],
    ids=names,
)
def test_a_bounce_is_recorded_once_and_the_fallback_told_once(
    context: DeliveryContext, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, moment: str
) -> None:
    world = world_with_fallback(context)
    world.run()
    event = ses_event("Bounce", world.patient_event.event_id, world.delivery_id)
    with monkeypatch.context() as crash:
        crash.setattr(module, name, dying(getattr(module, name), moment))
        with pytest.raises(Death):
            feedback.with_context(context)(event, LambdaContext("RecordFeedback"))
    feedback.with_context(context)(
        event, LambdaContext("RecordFeedback")
    )  # EventBridge brings it again
    releases(context)

    assert [mail["To"] for mail in sent_mails()] == [RECIPIENT.address, STAND_IN.address]
    assert world.actions.count("BOUNCED") == 1
    known = address_problems.read(
        context, AddressProblemState.ENDPOINT_BAD, world.item["endpoint_ref"]
    )
    assert known is not None
    assert known.state == "endpoint_bad"


@MOMENTS
def test_an_unknown_delivery_is_settled_by_the_event_that_comes_again(
    context: DeliveryContext, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    world = DeliveryWorld(context)
    with ses_answers(context, ReadTimeoutError(endpoint_url="x")):
        assert world.run()["outcome"] == "unknown"
    event = ses_event("Delivery", world.patient_event.event_id, world.delivery_id)
    with monkeypatch.context() as crash:
        crash.setattr(feedback_ledger, "settle", dying(feedback_ledger.settle, moment))
        with pytest.raises(Death):
            feedback.with_context(context)(event, LambdaContext("RecordFeedback"))
    feedback.with_context(context)(event, LambdaContext("RecordFeedback"))
    assert world.item["state"] == "sent"
    assert world.actions == ["UNKNOWN", "DELIVERED"]


@MOMENTS
@pytest.mark.parametrize(
    ("module", "name"),
    [
        (transitions, "claim"),
        (deliveries, "tell_instead"),
        (transitions, "refuse"),
        (chain, "append_decided"),
    ],
    ids=names,
)
def test_an_address_given_up_is_refused_and_the_fallback_told_once(
    context: DeliveryContext, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, moment: str
) -> None:
    world = world_with_fallback(context)
    endpoint = delivery.endpoints_of(context, RECIPIENT)[0]
    address_problems.report(
        context, AddressProblemState.ENDPOINT_BAD, endpoint, recipient_ref="k1.recipient"
    )
    with monkeypatch.context() as crash:
        crash.setattr(module, name, dying(getattr(module, name), moment))
        with pytest.raises(Death):
            world.run()
    refused(world)
    releases(context)
    assert [mail["To"] for mail in sent_mails()] == [STAND_IN.address]
    assert world.actions.count("REFUSED") == 1


def refused(world: DeliveryWorld) -> None:
    """One more run, which finds it refused or refuses it."""
    with pytest.raises(Exception, match="bounced or complained before"):
        world.run()


@MOMENTS
@pytest.mark.parametrize(
    ("module", "name"), [(transitions, "suppress"), (chain, "append_decided")], ids=names
)
def test_one_suppressed_is_said_so_once(
    context: DeliveryContext, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, moment: str
) -> None:
    world = DeliveryWorld(context)
    monkeypatch.setattr(delivery, "why_suppressed", lambda *_, **__: "c" * 32)
    with monkeypatch.context() as crash:
        crash.setattr(module, name, dying(getattr(module, name), moment))
        with pytest.raises(Death):
            world.run()
    assert world.run()["outcome"] == "suppressed"
    assert world.actions == ["SUPPRESSED"]
    assert sent_mails() == []
