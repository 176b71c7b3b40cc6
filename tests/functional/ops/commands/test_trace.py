"""`ens trace` and `ens events`: what an operator reads of an event, from status and audit alone."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from click.testing import Result

from lambdas.common.aws.items import to_item
from lambdas.common.errors import PERMANENT_ERRORS
from lambdas.delivery.ledger.context import LedgerContext
from ops.deployment import Deployment
from ops.events.advice import ADVICE, for_error
from ops.events.trail import TrailSource
from tests.support.trails import PROVIDER, SECOND_PROVIDER, Story, poison, told

Ens = Callable[..., Result]
EVENT, OTHER = "a" * 32, "b" * 32


def test_an_event_is_found_by_its_id_and_by_the_senders_control_id(
    context: LedgerContext, ens: Ens
) -> None:
    told(context, EVENT, control_id="CTRL77")
    by_id, by_control_id = ens("trace", EVENT), ens("trace", "CTRL77")
    assert by_id.exit_code == by_control_id.exit_code == 0
    assert by_id.output == by_control_id.output
    assert EVENT in by_id.output


def test_a_trace_shows_every_step_with_outcome_and_milliseconds_in_80_columns(
    context: LedgerContext, ens: Ens
) -> None:
    told(context, EVENT)
    lines = ens("trace", EVENT).output.splitlines()
    assert max(map(len, lines[: lines.index("Execution")])) <= 80
    shown = "\n".join(lines)
    for text in ("Queue", "120 ms", "ParseMessage", "parsed", "resolved", "210 ms", "sent"):
        assert text in shown
    assert "Admission from northgen" in shown
    assert f"{PROVIDER}  sent  primary care" in shown


def test_a_trace_in_aws_links_the_execution(
    context: LedgerContext, ens: Ens, deployment: Deployment
) -> None:
    story = told(context, EVENT)
    trail = TrailSource(deployment).event(EVENT)
    assert trail is not None
    began = datetime.fromisoformat(trail.steps[1].started_at)
    assert trail.execution_arn == story.execution_arn
    assert trail.console_link == (
        "https://us-east-1.console.aws.amazon.com/states/home?region=us-east-1"
        f"#/express-executions/details/{story.execution_arn}"
        f"?startDate={round(began.timestamp() * 1000)}"
    )
    assert trail.console_link in ens("trace", EVENT).output


def test_a_failure_shows_its_name_its_place_and_what_to_do(
    context: LedgerContext, ens: Ens
) -> None:
    poison(context, EVENT)
    output = " ".join(ens("trace", EVENT).output.split())
    assert "UnprocessableMessageError in ParseMessage" in output
    assert "PID is missing" in output
    assert "Ask the sender for a corrected message" in output


def test_a_held_notice_says_why_it_is_held_and_until_when(context: LedgerContext, ens: Ens) -> None:
    story = Story(context, EVENT).run().received().parsed().resolved(PROVIDER)
    held: dict[str, Any] = {"hold_reason": "settle", "release_at": "2026-11-23T13:16:02.000Z"}
    story.step("DeliverNotification", "HELD", "held", recipient_ref=PROVIDER, **held).completed()
    output = " ".join(ens("trace", EVENT).output.split())
    assert f"{PROVIDER} held (settle until 2026-11-23 13:16:02) primary care" in output


def test_an_event_that_tells_nobody_shows_the_reason_of_the_decision(
    context: LedgerContext, ens: Ens
) -> None:
    story = Story(context, EVENT).run().received()
    quiet = "not_notifiable"
    story.step("TrackEncounter", "NOT_NOTIFIABLE", quiet, decision_reason="bed_move").completed()
    assert "Bed move from northgen" in ens("trace", EVENT).output
    assert "bed move" in ens("events").output


def test_no_output_shows_the_senders_control_id(context: LedgerContext, ens: Ens) -> None:
    told(context, EVENT, control_id="H00412-BRANDT")
    for arguments in (
        ["trace", EVENT],
        ["trace", EVENT, "--json"],
        ["events"],
        ["events", "--json"],
        ["audit", "verify", EVENT],
    ):
        assert "BRANDT" not in ens(*arguments).output


def test_attempts_of_a_step_are_one_line_and_runs_are_counted(
    context: LedgerContext, deployment: Deployment
) -> None:
    story = Story(context, EVENT).run().received().parsed()
    story.step("LookupIdentities", "FAILED", "failed", error_name="DependencyUnavailableError")
    story.step("LookupIdentities", "RESOLVED", attempt=1)
    story.failed("DeliveryFailed", "DeliverAll")
    story.run(after_ms=60_000).parsed().completed()
    trail = TrailSource(deployment).event(EVENT)
    assert trail is not None
    lookup = next(step for step in trail.steps if step.name == "LookupIdentities")
    assert (lookup.attempts, lookup.outcome, lookup.duration_ms) == (2, "ok", 80)
    assert [(step.run, step.name) for step in trail.steps] == [
        (0, "Queue"),
        (1, "ParseMessage"),
        (1, "LookupIdentities"),
        (1, "RecordFailure"),
        (2, "ParseMessage"),
        (2, "CompleteEvent"),
    ]
    assert (trail.status, trail.error_name, trail.what_to_do) == ("COMPLETED", "", [])


def test_each_recipient_has_an_outcome_reasons_and_what_the_mail_service_reported(
    context: LedgerContext,
    deployment: Deployment,
) -> None:
    story = Story(context, EVENT).run().received().parsed().resolved(PROVIDER, SECOND_PROVIDER)
    story.step("DeliverNotification", "SENT", recipient_ref=PROVIDER)
    story.step("DeliverNotification", "REFUSED", "refused", recipient_ref=SECOND_PROVIDER)
    story.completed()
    story.execution_arn = ""
    story.step("RecordFeedback", "BOUNCED", "failed", recipient_ref=PROVIDER)
    trail = TrailSource(deployment).event(EVENT)
    assert trail is not None
    first, second = trail.recipients
    assert (first.recipient_ref, first.outcome, first.reasons) == (
        PROVIDER,
        "sent",
        ["primary_care"],
    )
    assert [feedback.outcome for feedback in first.feedback] == ["bounced"]
    assert (second.recipient_ref, second.outcome) == (SECOND_PROVIDER, "refused")
    assert len(trail.what_to_do) == 2


def test_an_unknown_delivery_asks_for_a_person_until_the_mail_service_reports_it(
    context: LedgerContext,
    deployment: Deployment,
) -> None:
    story = Story(context, EVENT).run().received().parsed().resolved(PROVIDER)
    story.step("DeliverNotification", "UNKNOWN", "unknown", recipient_ref=PROVIDER).completed()
    source = TrailSource(deployment)
    trail = source.event(EVENT)
    assert trail is not None
    assert trail.recipients[0].outcome == "unknown"
    assert "ask the provider" in trail.what_to_do[0]
    story.step("RecordFeedback", "DELIVERED", recipient_ref=PROVIDER)
    trail = source.event(EVENT)
    assert trail is not None
    assert (trail.recipients[0].outcome, trail.what_to_do) == ("sent", [])


def test_the_advice_for_an_unknown_delivery_runs_as_it_is_printed(
    context: LedgerContext, ens: Ens
) -> None:
    task = {"envelope": {"event_id": EVENT}, "recipient_ref": PROVIDER}
    delivery = {"delivery_id": "d" * 32, "state": "unknown", "event_id": EVENT, "task": task}
    context.client("dynamodb").put_item(TableName="ledger", Item=to_item(delivery))
    story = Story(context, EVENT).run().received().parsed().resolved(PROVIDER)
    story.step(
        "DeliverNotification", "UNKNOWN", "unknown", recipient_ref=PROVIDER, delivery_id="d" * 32
    ).completed()
    said = " ".join(ens("trace", EVENT).output.split())
    (command,) = re.findall(r"`ens (--env dev deliveries resend [^`]+)`", said)
    result = ens(*command.removeprefix("--env dev ").split())
    assert (result.exit_code, result.output) == (
        0,
        f"Will be sent again within a minute: {'d' * 32}\n",
    )


def test_of_events_with_one_control_id_the_newest_is_shown_and_the_others_are_named(
    context: LedgerContext,
    ens: Ens,
) -> None:
    told(context, EVENT, control_id="7")
    told(context, OTHER, control_id="7")
    output = ens("trace", "7").output
    assert output.startswith(f"Event {OTHER}")
    assert output.endswith(f"Older events with this MSH-10\n  {EVENT}\n")


def test_the_trace_of_a_pause_says_when_and_by_whom_and_invents_no_receipt(ens: Ens) -> None:
    assert ens("deliveries", "pause").exit_code == 0
    head, moment, *rest = ens("trace", "switch#delivery").output.splitlines()
    assert (head, "paused by moto" in "\n".join(rest)) == ("Audit switch#delivery", True)
    assert re.fullmatch(r"From 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC", moment)


@pytest.mark.parametrize("reference", ["nobody-knows", ""])
def test_an_unknown_reference_is_one_sentence_and_exit_code_1(ens: Ens, reference: str) -> None:
    result = ens("trace", reference)
    assert result.exit_code == 1
    assert "dev has no event with this id or MSH-10." in result.output


def test_the_json_trail_has_steps_recipients_and_entries(context: LedgerContext, ens: Ens) -> None:
    told(context, EVENT)
    trail = json.loads(ens("trace", EVENT, "--json").output)
    assert trail["status"] == "COMPLETED"
    assert {"name", "outcome", "started_at", "duration_ms", "attempts"} <= trail["steps"][0].keys()
    assert trail["recipients"][0]["recipient_ref"] == PROVIDER
    assert trail["entries"][0]["action"] == "RECEIVED"


def test_events_are_listed_newest_first_and_by_status(context: LedgerContext, ens: Ens) -> None:
    told(context, EVENT)
    poison(context, OTHER)
    listed = json.loads(ens("events", "--json").output)
    assert [event["event_id"] for event in listed] == [OTHER, EVENT]
    assert (listed[1]["event_kind"], listed[1]["told"]) == ("admission", 1)
    failed = json.loads(ens("events", "--json", "--status", "failed").output)
    assert [event["error_name"] for event in failed] == ["UnprocessableMessageError"]
    assert len(json.loads(ens("events", "--json", "--limit", "1").output)) == 1
    text = ens("events").output
    assert EVENT in text
    assert max(map(len, text.splitlines())) <= 80


def test_events_of_another_day_are_not_todays(context: LedgerContext, ens: Ens) -> None:
    Story(context, EVENT, datetime(2026, 1, 2, tzinfo=UTC)).run().received().parsed().completed()
    assert "No events on 2026-01-03." in ens("events", "--day", "2026-01-03").output
    assert EVENT in ens("events", "--day", "2026-01-02").output


def test_reading_a_trail_never_asks_a_queue(
    context: LedgerContext, ens: Ens, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison(context, EVENT)
    asked: list[str] = []
    make = boto3.client

    def watched(name: str, **options: Any) -> Any:
        asked.append(name)
        return make(name, **options)

    monkeypatch.setattr(boto3, "client", watched)
    assert ens("trace", EVENT).exit_code == 0
    assert ens("events").exit_code == 0
    assert "sqs" not in asked


def test_the_advice_for_a_visit_number_of_two_patients_does_not_end_at_the_registry() -> None:
    """TrackEncounter refuses such a message before the registry is asked: only the sender can mend it."""
    advice = for_error("IdentityConflictError", EVENT)
    assert "visit number was used for two patients" in advice
    assert "Ask the sender to cancel (A11) or move (A45)" in advice


def test_every_permanent_error_has_advice() -> None:
    assert {error.__name__ for error in PERMANENT_ERRORS} <= ADVICE.keys()
