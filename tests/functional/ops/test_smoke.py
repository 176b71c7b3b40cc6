"""`ens smoke`: three messages through a deployment, and what became of each."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from click.testing import Result

from ops import redrive
from ops.deployment import Deployment
from ops.smoke import probes
from tests.support.deployment import dead_letter, drain
from tests.support.messages import header_field
from tests.support.receiver import Receiver, accept, acknowledge
from tests.support.trails import Story, poison

Ens = Callable[..., Result]
GOOD, POISON, SLOW = "a" * 32, "b" * 32, "c" * 32


@pytest.fixture(autouse=True)
def no_long_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redrive, "POLL_SECONDS", 0)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def smoke(ens: Ens, receiver: Receiver) -> Callable[..., Result]:
    at = ["--host", "127.0.0.1", "--port", str(receiver.port)]
    return lambda *arguments, **options: ens("smoke", *at, *arguments, **options)


def processed(aws: Any, deployment: Deployment) -> Callable[[bytes], bytes]:
    """A receiver's answer behind which everything goes as designed."""

    def answer(message: bytes) -> bytes:
        control_id = header_field(message, 10).decode()
        if b"\rPID|" not in message:
            poison(POISON, control_id)
            dead_letter(aws, deployment, POISON)
        else:
            event_id = SLOW if b"\rOBX|" in message else GOOD
            story = Story(event_id).run().received(control_id)
            story.step("ParseMessage", "NOT_NOTIFIABLE", "not_notifiable").completed()
        return accept(message)

    return answer


def test_each_ending_is_shown_and_the_poison_is_taken_off_the_queue_again(
    aws: Any, deployment: Deployment, receiver: Receiver, smoke: Callable[..., Result]
) -> None:
    receiver.answer = processed(aws, deployment)
    dead_letter(aws, deployment, "d" * 32, group="somebody else")
    result = smoke()
    assert result.exit_code == 0, result.output
    assert result.output.count("as designed") == 3
    assert "workflow  FAILED UnprocessableMessageError in ParseMessage" in result.output
    assert "held it; taken off again" in result.output
    left = drain(aws, deployment.output("DeadLetterQueueUrl"))
    assert [message["envelope"]["event_id"] for message in left] == ["d" * 32]


def test_a_workflow_that_never_begins_is_not_as_designed(
    aws: Any, receiver: Receiver, smoke: Callable[..., Result]
) -> None:
    result = smoke("--wait", "0.05")
    assert result.exit_code == 1
    assert result.output.count("not as designed") == 3


def test_a_refused_message_is_not_as_designed(
    aws: Any, receiver: Receiver, smoke: Callable[..., Result]
) -> None:
    receiver.answer = lambda message: acknowledge(message, b"AR", b"|the vault does not answer")
    result = smoke()
    assert result.exit_code == 1
    assert "good: answered AR the vault does not answer" in result.output


def test_prod_is_asked_about_first(smoke: Callable[..., Result], receiver: Receiver) -> None:
    assert smoke(environment="prod").exit_code == 1
    assert receiver.received == []


def test_the_messages_notify_nobody_and_every_run_makes_new_ones() -> None:
    first, second = probes(), probes()
    assert {p.control_id for p in first}.isdisjoint(p.control_id for p in second)
    for probe in first:
        assert header_field(probe.message.body, 9) == b"ADT^A08^ADT_A01"
        assert header_field(probe.message.body, 11) == b"T"
        assert len(header_field(probe.message.body, 10)) <= 20
        assert len(probe.message.body) < 1_000_000
