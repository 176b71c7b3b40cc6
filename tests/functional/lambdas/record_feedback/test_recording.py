"""SES's events into the ledger and the audit chain, once each."""

from typing import Any, cast

import boto3
import pytest
from aws_lambda_powertools import Logger, Metrics

from lambdas.common.audit import chain, verification
from lambdas.common.aws.items import to_item
from lambdas.common.contracts.audit import AuditStep
from lambdas.common.contracts.document import read_as
from lambdas.common.contracts.workflow.tasks import RecordFeedbackInput
from lambdas.common.errors import DependencyUnavailableError
from lambdas.common.function.handler import Run
from lambdas.delivery.context import DeliveryContext
from lambdas.delivery.ledger import table
from lambdas.delivery.ledger.deliveries import feedback
from lambdas.record_feedback.handler import lambda_handler
from lambdas.record_feedback.recording import record
from tests.functional.lambdas.deliver_notification.world import Uncounted
from tests.support.audit import entry, file_damaged
from tests.support.interruptions import CallPoint, Death
from tests.support.lambda_context import LambdaContext
from tests.support.logs import on_stdout
from tests.support.ses_events import ses_event

EVENT_ID, DELIVERY_ID = "5e" * 16, "d1" * 16


@pytest.fixture(autouse=True)
def _aws(aws: Any) -> None:
    pass


def given(state: str, **more: Any) -> None:
    """A delivery in the ledger."""
    item = {
        "delivery_id": DELIVERY_ID,
        "event_id": EVENT_ID,
        "recipient_ref": "k1.recipient",
        "channel": "email",
        "patient_ref": "k1.patient",
        "state": state,
        "attempt_id": "a",
        "updated_at": "2026-11-23T13:12:00.000Z",
        **more,
    }
    boto3.client("dynamodb").put_item(TableName="ledger", Item=to_item(item))


def feed(context: DeliveryContext, event_type: str, **part: Any) -> dict[str, Any]:
    """The function's result for one event about the delivery."""
    event = ses_event(event_type, EVENT_ID, DELIVERY_ID, **part)
    answer: dict[str, Any] = lambda_handler.with_context(context)(
        event, LambdaContext("RecordFeedback")
    )
    return answer


def ledger(context: DeliveryContext) -> dict[str, Any]:
    return table.read_item(context, DELIVERY_ID)


@pytest.mark.parametrize(
    ("event_type", "action", "outcome"),
    [
        ("Delivery", "DELIVERED", "ok"),
        ("DeliveryDelay", "DELAYED", "ok"),
        ("Bounce", "BOUNCED", "refused"),
        ("Complaint", "COMPLAINED", "refused"),
        ("Reject", "REJECTED", "refused"),
        ("Rendering Failure", "FAILED", "failed"),
    ],
)
def test_what_became_of_a_mail_stands_in_the_chain_and_on_the_ledger(
    context: DeliveryContext, event_type: str, action: str, outcome: str
) -> None:
    given("sent")
    assert feed(context, event_type)["outcome"] == "recorded"

    [entry] = chain.entries(context, EVENT_ID)
    assert (entry["action"], entry["outcome"]) == (action, outcome)
    assert (entry["delivery_id"], entry["recipient_ref"]) == (DELIVERY_ID, "k1.recipient")
    assert entry["patient_ref"] == "k1.patient"
    assert verification.verify(context, EVENT_ID).holds
    assert ledger(context)["state"] == "sent"
    assert [mark.split("#")[0] for mark in ledger(context)["feedback"]] == [action]


@pytest.mark.parametrize("event_type", ["Delivery", "Bounce", "Reject"])
def test_the_same_event_twice_leaves_one_entry(context: DeliveryContext, event_type: str) -> None:
    given("sent")
    assert feed(context, event_type)["outcome"] == "recorded"
    assert feed(context, event_type)["outcome"] == "known"
    assert len(chain.entries(context, EVENT_ID)) == 1
    assert len(ledger(context)["feedback"]) == 1


@pytest.mark.parametrize("event_type", ["Bounce", "Complaint", "Reject", "Rendering Failure"])
def test_a_mail_that_came_back_came_back_for_everybody_whom_it_was_to_tell(
    context: DeliveryContext, event_type: str
) -> None:
    given("sent", also=["k1.colleague"])
    for _ in range(2):
        feed(context, event_type)
    first, other = chain.entries(context, EVENT_ID)
    assert (first["recipient_ref"], other["recipient_ref"]) == ("k1.recipient", "k1.colleague")
    assert (other["action"], other["outcome"]) == (first["action"], first["outcome"])
    assert (other["told_with"], other["patient_ref"]) == ("k1.recipient", "k1.patient")


def test_every_delay_is_an_entry_of_its_own(context: DeliveryContext) -> None:
    given("sent")
    feed(context, "DeliveryDelay")
    feed(context, "DeliveryDelay", timestamp="2026-11-23T14:00:00.000Z")
    feed(context, "Delivery", timestamp="2026-11-23T14:10:00.000Z")
    assert [e["action"] for e in chain.entries(context, EVENT_ID)] == [
        "DELAYED",
        "DELAYED",
        "DELIVERED",
    ]


@pytest.mark.parametrize("state", ["unknown", "sending"])
@pytest.mark.parametrize(
    ("event_type", "settled"),
    [
        ("Send", "sent"),
        ("Delivery", "sent"),
        ("Bounce", "sent"),
        ("Reject", "refused"),
        ("Rendering Failure", "refused"),
    ],
)
def test_an_event_settles_what_the_ledger_did_not_know(
    context: DeliveryContext, state: str, event_type: str, settled: str
) -> None:
    given(state)
    feed(context, event_type)
    assert ledger(context)["state"] == settled
    assert ledger(context)["ses_message_id"] == "0100018d-mail-000000"


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_run_that_dies_while_it_settles_is_finished_by_the_next(
    context: DeliveryContext, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    given("unknown")
    with monkeypatch.context() as crash:
        CallPoint(feedback, "settle", moment).kills(crash)
        with pytest.raises(Death):
            feed(context, "Delivery")
    feed(context, "Delivery")
    assert ledger(context)["state"] == "sent"
    assert [e["action"] for e in chain.entries(context, EVENT_ID)] == ["DELIVERED"]


@pytest.mark.parametrize("state", ["sent", "refused", "held", "claimed"])
def test_an_event_does_not_overrule_what_the_ledger_knows(
    context: DeliveryContext, state: str
) -> None:
    given(state)
    feed(context, "Delivery")
    assert ledger(context)["state"] == state


def test_that_ses_took_the_mail_is_news_only_where_nobody_knew(context: DeliveryContext) -> None:
    given("sent")
    assert feed(context, "Send")["outcome"] == "known"
    assert chain.entries(context, EVENT_ID) == []

    given("unknown")
    chain.append(
        context,
        EVENT_ID,
        entry("DeliverNotification", "UNKNOWN", "unknown", delivery_id=DELIVERY_ID),
    )
    assert feed(context, "Send")["outcome"] == "recorded"
    assert feed(context, "Send")["outcome"] == "known"
    assert [e["action"] for e in chain.entries(context, EVENT_ID)] == ["UNKNOWN", "SENT"]


def test_an_entry_that_could_not_be_written_is_written_when_the_event_comes_again(
    context: DeliveryContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given("sent")

    def down(*arguments: Any, **named: Any) -> None:
        raise DependencyUnavailableError("dynamodb: down")

    with monkeypatch.context() as outage:
        outage.setattr(chain, "_append", down)
        with pytest.raises(DependencyUnavailableError):
            feed(context, "Bounce")
    assert feed(context, "Bounce")["outcome"] == "recorded"
    assert [e["action"] for e in chain.entries(context, EVENT_ID)] == ["BOUNCED"]


def test_an_unknown_delivery_is_counted_and_dropped_without_an_error(
    context: DeliveryContext,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert feed(context, "Delivery")["outcome"] == "not_ours"
    assert chain.entries(context, EVENT_ID) == []
    assert '"FeedbackNotOurs":[1.0]' in capsys.readouterr().out.replace(" ", "")


def test_a_delivery_of_another_event_is_not_ours(context: DeliveryContext) -> None:
    given("unknown", event_id="0" * 32)
    assert feed(context, "Delivery")["outcome"] == "not_ours"
    assert ledger(context)["state"] == "unknown"


def test_a_mail_without_our_tags_is_dropped_without_an_error(context: DeliveryContext) -> None:
    event = ses_event("Delivery", EVENT_ID, DELIVERY_ID)
    del event["detail"]["mail"]["tags"]
    answer = lambda_handler.with_context(context)(event, LambdaContext("RecordFeedback"))
    assert answer["outcome"] == "not_ours"


def test_no_address_and_no_text_of_a_server_is_logged_audited_or_kept(
    context: DeliveryContext,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given("unknown")
    with on_stdout("RecordFeedback"):
        for event_type in ("Send", "DeliveryDelay", "Bounce", "Complaint", "Rendering Failure"):
            feed(context, event_type)
    out = capsys.readouterr().out
    assert '"message":"done"' in out
    written = [out, chain.entries(context, EVENT_ID), ledger(context)]
    for text in map(str, written):
        for private in ("clinic.example", "Petra", "Lindqvist", "Okonjo", "smtp", "Hospital"):
            assert private not in text


def test_a_damaged_audit_item_under_an_event_does_not_stop_its_feedback(
    context: DeliveryContext,
) -> None:
    given("sent", released=True)
    file_damaged(EVENT_ID, delivery_id=DELIVERY_ID)
    assert feed(context, "Delivery")["outcome"] == "recorded"


def test_an_event_that_comes_twice_at_once_is_recorded_once(
    context: DeliveryContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lambda may run a function more than once for an event ("Error handling for asynchronous invocation")."""
    given("sent")
    task = read_as(RecordFeedbackInput, ses_event("Bounce", EVENT_ID, DELIVERY_ID))
    metrics = cast(Metrics, Uncounted())
    other = Run(context, AuditStep.RECORD_FEEDBACK, task, Logger(service="beside"), metrics)
    write, outcomes = chain._write, list[str]()

    def beside(*arguments: Any) -> bool:
        monkeypatch.setattr(chain, "_write", write)
        outcomes.append(record(context, task.detail, other).outcome)
        return write(*arguments)

    monkeypatch.setattr(chain, "_write", beside)
    outcomes.append(feed(context, "Bounce")["outcome"])
    assert outcomes == ["recorded", "known"]
    assert [e["action"] for e in chain.entries(context, EVENT_ID)] == ["BOUNCED"]
