"""The local SES's events about a mail, and the rules of the event bus that match them."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from lambdas.record_feedback.feedback import Feedback
from local.aws.mailbox import AcceptedMail
from local.events import ses_events
from local.events.ses_events import SesEvents, bus_event, details

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:hl7-ens-local-RecordFeedback"


def mail(to: str) -> AcceptedMail:
    return AcceptedMail(
        mail_id="0100-1",
        sent_at="2026-11-23T09:15:02.113Z",
        to=(to,),
        tags={"event_id": "e1", "delivery_id": "d1"},
        configuration_set="hl7-ens-local",
        raw=b"From: n@ens.example\r\nSubject: Notice\r\n\r\ntext",
    )


@pytest.mark.parametrize(
    ("to", "types"),
    [
        ("a@provider.example", ["Send", "Delivery"]),
        ("a@bounce.example", ["Send", "Bounce"]),
        ("a@complaint.example", ["Send", "Delivery", "Complaint"]),
    ],
)
def test_what_becomes_of_a_mail_depends_on_its_domain(to: str, types: list[str]) -> None:
    assert [detail["eventType"] for detail in details(mail(to))] == types


def test_every_event_is_one_that_record_feedback_reads() -> None:
    for to in ("a@complaint.example", "a@bounce.example"):
        for detail in details(mail(to)):
            feedback = Feedback.from_detail(detail)
            assert feedback is not None
            assert (feedback.event_id, feedback.delivery_id) == ("e1", "d1")


@pytest.fixture
def heard(aws: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The types of the events that came to the function of the stack's rule, once all are sent."""
    monkeypatch.setattr(ses_events, "RETRY_AFTER", (0.0, 0.0))
    found: list[str] = []
    yield found


def rule_for(configuration_set: str) -> None:
    tags = {"ses:configuration-set": [configuration_set]}
    pattern = {"source": ["aws.ses"], "detail": {"mail": {"tags": tags}}}
    events = boto3.client("events")
    events.put_rule(Name="feedback", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="feedback", Targets=[{"Id": "1", "Arn": FUNCTION}])


def run(heard: list[str], failures: int = 0) -> None:
    left = [failures]

    def invoke(function: str, payload: bytes) -> tuple[bytes, bool]:
        assert function == "hl7-ens-local-RecordFeedback"
        if left[0]:
            left[0] -= 1
            return b"{}", True
        heard.append(json.loads(payload)["detail-type"])
        return b"{}", False

    sender = SesEvents(invoke)
    sender.start()
    sender.accepted(mail("a@provider.example"))
    sender.stop()


def test_the_rule_of_the_configuration_set_hears_its_events_in_order(heard: list[str]) -> None:
    rule_for("hl7-ens-local")

    run(heard)

    assert heard == ["Email Sent", "Email Delivered"]


def test_a_rule_for_another_configuration_set_hears_nothing(heard: list[str]) -> None:
    rule_for("hl7-ens-prod")

    run(heard)

    assert heard == []


def test_a_scheduled_rule_hears_nothing(heard: list[str]) -> None:
    events = boto3.client("events")
    events.put_rule(Name="releases", ScheduleExpression="rate(1 minute)")
    events.put_targets(Rule="releases", Targets=[{"Id": "1", "Arn": FUNCTION}])

    run(heard)

    assert heard == []


def test_a_function_that_fails_is_given_the_event_again(heard: list[str]) -> None:
    rule_for("hl7-ens-local")

    run(heard, failures=1)

    assert heard == ["Email Sent", "Email Delivered"]


def test_an_event_names_the_configuration_set_as_its_resource() -> None:
    event = bus_event(next(details(mail("a@provider.example"))))

    assert event["source"] == "aws.ses"
    assert event["resources"][0].endswith(":configuration-set/hl7-ens-local")
