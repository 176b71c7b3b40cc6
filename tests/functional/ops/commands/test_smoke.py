"""`ens smoke`: three messages through a deployment, and what became of each."""

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

from environments import load
from lambdas.common.aws.items import to_item
from lambdas.delivery.ledger.context import LedgerContext
from ops.deployment import Deployment
from ops.queues import redrive
from ops.smoke.patient import ADDRESS, entries_of
from ops.smoke.probes import new_run, probes
from tests.support.deployment import dead_letter, drain
from tests.support.messages import header_field
from tests.support.receiver import StubReceiver, accept, acknowledge
from tests.support.trails import PROVIDER, Story, poison

Ens = Callable[..., Result]
GOOD, POISON, SLOW = "a" * 32, "b" * 32, "c" * 32


@pytest.fixture(autouse=True)
def no_long_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redrive, "POLL_SECONDS", 0)


@pytest.fixture
def smoke(ens: Ens, receiver: StubReceiver) -> Callable[..., Result]:
    at = ["--host", "127.0.0.1", "--port", str(receiver.port), "--wait", "5"]
    return lambda *arguments, **options: ens("smoke", *at, *arguments, **options)


def registry(aws: Any) -> list[str]:
    """The partition keys of everything in the registry."""
    return sorted(i["pk"]["S"] for i in aws.client("dynamodb").scan(TableName="registry")["Items"])


def processed(
    context: LedgerContext,
    aws: Any,
    deployment: Deployment,
    *,
    delivered: bool = True,
    seen: list[str] | None = None,
) -> Callable[[bytes], bytes]:
    """A receiver's answer behind which everything goes as expected."""

    def answer(message: bytes) -> bytes:
        control_id = header_field(message, 10).decode()
        if b"\rPID|" not in message:
            poison(context, POISON, control_id)
            dead_letter(aws, deployment, POISON, sender="smoke")
        elif b"\rOBX|" in message:
            story = Story(context, SLOW).run().received(control_id)
            story.step("ParseMessage", "NOT_NOTIFIABLE", "not_notifiable").completed()
        else:
            if seen is not None:
                seen.extend(registry(aws))
            story = Story(context, GOOD).run().received(control_id).resolved(PROVIDER)
            story.step("DeliverNotification", "SENT", recipient_ref=PROVIDER).completed()
            if delivered:
                story.step("RecordFeedback", "DELIVERED", recipient_ref=PROVIDER)
        return accept(message)

    return answer


def test_each_ending_is_shown_and_the_poison_is_taken_off_the_queue_again(
    context: LedgerContext,
    aws: Any,
    deployment: Deployment,
    receiver: StubReceiver,
    smoke: Callable[..., Result],
) -> None:
    receiver.answer = processed(context, aws, deployment)
    dead_letter(aws, deployment, "d" * 32, group="somebody else")
    result = smoke()
    assert result.exit_code == 0, result.output
    assert result.output.count("as expected") == 3
    assert "workflow  FAILED UnprocessableMessageError in ParseMessage" in result.output
    assert "the message was there and is now removed" in result.output
    left = drain(aws, deployment.output("DeadLetterQueueUrl"))
    assert [message["envelope"]["event_id"] for message in left] == ["d" * 32]


def test_the_mail_counts_when_ses_has_reported_its_delivery(
    context: LedgerContext,
    aws: Any,
    deployment: Deployment,
    receiver: StubReceiver,
    smoke: Callable[..., Result],
) -> None:
    receiver.answer = processed(context, aws, deployment)
    assert "mail      sent; SES events: delivered 20" in smoke().output


def test_a_mail_that_ses_does_not_report_is_not_as_designed(
    context: LedgerContext,
    aws: Any,
    deployment: Deployment,
    receiver: StubReceiver,
    smoke: Callable[..., Result],
) -> None:
    receiver.answer = processed(context, aws, deployment, delivered=False)
    result = smoke("--wait", "0.2")
    assert result.exit_code == 1
    assert "SES events: none yet" in result.output
    assert result.output.count("not as expected") == 1


def test_the_registry_holds_the_smoke_patient_for_the_run_and_nothing_after_it(
    context: LedgerContext,
    aws: Any,
    deployment: Deployment,
    receiver: StubReceiver,
    smoke: Callable[..., Result],
) -> None:
    real = {"pk": "patient#real", "sk": "patient"}
    aws.client("dynamodb").put_item(TableName="registry", Item=to_item(real))
    seen: list[str] = []
    receiver.answer = processed(context, aws, deployment, seen=seen)
    assert smoke().exit_code == 0
    kinds = {key.rstrip("0123456789abcdefABCDEF") for key in seen}
    assert kinds == {
        "identifier#ENS-SMOKE#",
        "patient#ens-smoke-",
        "patient#real",
        "provider#ens-smoke-",
    }
    assert registry(aws) == ["patient#real"]


def test_the_entries_are_removed_when_nobody_listens(
    aws: Any, receiver: StubReceiver, smoke: Callable[..., Result]
) -> None:
    receiver.close()
    assert "Cannot connect to a receiver" in smoke().output
    assert registry(aws) == []


def test_a_workflow_that_never_begins_is_not_as_designed(
    aws: Any, receiver: StubReceiver, smoke: Callable[..., Result]
) -> None:
    result = smoke("--wait", "0.05")
    assert result.exit_code == 1
    assert result.output.count("not as expected") == 3


def test_a_refused_message_is_not_as_designed(
    aws: Any, receiver: StubReceiver, smoke: Callable[..., Result]
) -> None:
    receiver.answer = lambda message: acknowledge(message, b"AR", b"|the vault does not answer")
    result = smoke()
    assert result.exit_code == 1
    assert "good: answered AR the vault does not answer" in result.output


def test_an_alarm_that_goes_off_meanwhile_fails_the_run_and_is_named(
    context: LedgerContext,
    aws: Any,
    deployment: Deployment,
    receiver: StubReceiver,
    smoke: Callable[..., Result],
) -> None:
    cloudwatch = aws.client("cloudwatch")
    usual = processed(context, aws, deployment)

    def put(name: str) -> None:
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            Namespace="n",
            MetricName="m",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="test")

    def answer(message: bytes) -> bytes:
        put("hl7-ens-dev-dead-letters-waiting")
        return usual(message)

    put("hl7-ens-dev-red-before")
    receiver.answer = answer
    result = smoke()
    assert result.exit_code == 1
    assert "hl7-ens-dev-dead-letters-waiting" in result.output
    assert "red-before" not in result.output


def test_prod_is_asked_about_first(smoke: Callable[..., Result], receiver: StubReceiver) -> None:
    assert smoke(environment="prod").exit_code == 1
    assert receiver.received == []


@pytest.mark.parametrize("name", ["local", "dev", "staging", "prod"])
def test_the_messages_are_those_that_the_environment_takes_and_new_in_every_run(name: str) -> None:
    environment = load(name)
    (sender,) = (s for s in environment.senders if s.name == "smoke")
    first, second = probes(environment, new_run()), probes(environment, new_run())
    assert {p.control_id for p in first}.isdisjoint(p.control_id for p in second)
    for probe in first:
        message = probe.message.body
        assert header_field(message, 3).decode() == sender.sending_application
        assert header_field(message, 4).decode() == sender.sending_facility
        assert header_field(message, 11) == b"P"
        assert len(header_field(message, 10)) <= 20
        assert len(message) < 1_000_000


def test_the_one_provider_is_at_the_mailbox_simulator() -> None:
    addresses = {item["email"] for item in entries_of(new_run()) if item["sk"] == "provider"}
    # SES developer guide, "Using the mailbox simulator": accepted and delivered, to nobody.
    assert addresses == {ADDRESS} == {"success@simulator.amazonses.com"}
