"""`ens dlq`: dead letters are looked at without being touched, and redriven without being lost."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import pytest
from click.testing import Result

from lambdas.common.audit import chain
from lambdas.delivery.ledger.context import LedgerContext
from ops.audit.entry import audit
from ops.deployment import Deployment
from ops.queues import dead_letters, redrive
from tests.support.deployment import ME, dead_letter, drain
from tests.support.trails import Story, poison, told

Ens = Callable[..., Result]
EVENT, OTHER, THIRD = "a" * 32, "b" * 32, "c" * 32


@pytest.fixture(autouse=True)
def no_long_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty receive answers at once: moto would wait out the long poll."""
    monkeypatch.setattr(redrive, "POLL_SECONDS", 0)


def source_of(aws: Any, deployment: Deployment) -> list[dict[str, Any]]:
    return drain(aws, deployment.output("QueueUrl"))


def dead_of(aws: Any, deployment: Deployment) -> list[str]:
    return [m["envelope"]["event_id"] for m in drain(aws, deployment.output("DeadLetterQueueUrl"))]


def test_the_list_names_the_error_the_step_and_the_queues_own_count(
    context: LedgerContext, aws: Any, ens: Ens, deployment: Deployment
) -> None:
    poison(context, EVENT)
    told(context, OTHER)
    dead_letter(aws, deployment, EVENT)
    listed = json.loads(ens("dlq", "list", "--json").output)
    (letter,) = listed["events"]
    assert (letter["event_id"], letter["error_name"], letter["step"], letter["place"]) == (
        EVENT,
        "UnprocessableMessageError",
        "ParseMessage",
        "dead_letter",
    )
    assert listed["queue_count"] == 1
    assert "holds about 1 message." in ens("dlq", "list").output


def test_looking_never_hides_a_message_from_redriving(
    context: LedgerContext, aws: Any, ens: Ens, deployment: Deployment
) -> None:
    poison(context, EVENT)
    dead_letter(aws, deployment, EVENT)
    for arguments in (["dlq", "list"], ["dlq", "show", EVENT], ["trace", EVENT]):
        assert ens(*arguments).exit_code == 0
    assert ens("dlq", "redrive", EVENT).exit_code == 0
    assert [m["envelope"]["event_id"] for m in source_of(aws, deployment)] == [EVENT]


def test_a_failure_that_sqs_still_redelivers_is_listed_as_retrying(
    context: LedgerContext, ens: Ens, deployment: Deployment
) -> None:
    Story(context, EVENT).run().received().failed("DependencyUnavailableError", "ParseMessage")
    assert [letter.place for letter in dead_letters.listed(deployment).events] == ["retrying"]


def test_a_redriven_message_that_fails_at_once_is_a_dead_letter_again(
    context: LedgerContext, aws: Any, ens: Ens, deployment: Deployment
) -> None:
    """The message fails again before the entry of its redrive is written."""
    story = poison(context, EVENT)
    dead_letter(aws, deployment, EVENT)

    def fails_again(*arguments: Any, **facts: Any) -> None:
        story.clock = datetime.now(UTC)
        story.run(after_ms=1).failed("UnprocessableMessageError", "ParseMessage")
        audit(*arguments, **facts)

    with patch.object(redrive, "audit", fails_again):
        assert ens("dlq", "redrive", EVENT).exit_code == 0
    assert [letter.place for letter in dead_letters.listed(deployment).events] == ["dead_letter"]


def test_what_a_redrive_prints_can_be_typed_as_it_stands(
    aws: Any, ens: Ens, deployment: Deployment
) -> None:
    dead_letter(aws, deployment, EVENT)
    assert f"`ens --env dev trace {EVENT}`" in ens("dlq", "redrive", EVENT).output
    refused = ens("dlq", "redrive", "MSG00001")
    assert (refused.exit_code, "see `ens --env dev dlq list`" in refused.output) == (1, True)


def test_show_says_what_to_do_and_refuses_an_event_that_ended_well(
    context: LedgerContext, ens: Ens
) -> None:
    poison(context, EVENT)
    told(context, OTHER)
    assert "What to do" in ens("dlq", "show", EVENT).output
    well = ens("dlq", "show", OTHER)
    assert (well.exit_code, "This event is completed" in well.output) == (1, True)


def test_redriving_one_leaves_the_others_visible_and_in_place(
    aws: Any, ens: Ens, deployment: Deployment
) -> None:
    for event_id, group in ((OTHER, "g1"), (EVENT, "g2"), (THIRD, "g3")):
        dead_letter(aws, deployment, event_id, group=group)
    assert ens("dlq", "redrive", EVENT).exit_code == 0
    assert [m["envelope"]["event_id"] for m in source_of(aws, deployment)] == [EVENT]
    assert dead_of(aws, deployment) == [OTHER, THIRD]


def test_one_is_found_behind_others_of_the_same_patient_and_behind_a_full_batch(
    aws: Any, ens: Ens, deployment: Deployment
) -> None:
    for number in range(12):
        dead_letter(aws, deployment, f"{number:032x}", group=f"g{number}")
    dead_letter(aws, deployment, OTHER, group="same")
    dead_letter(aws, deployment, EVENT, group="same")
    assert ens("dlq", "redrive", EVENT).exit_code == 0
    assert [m["envelope"]["event_id"] for m in source_of(aws, deployment)] == [EVENT]
    assert len(dead_of(aws, deployment)) == 13


def test_a_redriven_message_keeps_body_and_group_and_names_its_dead_letter(
    context: LedgerContext, aws: Any, ens: Ens, deployment: Deployment
) -> None:
    message_id = dead_letter(aws, deployment, EVENT, group="k1.patient")
    ens("dlq", "redrive", EVENT)
    assert "redriven by moto" in ens("trace", EVENT).output
    (message,) = source_of(aws, deployment)
    assert message["envelope"] == {"event_id": EVENT, "bucket": "vault", "sender": "northgen"}
    assert message["Attributes"]["MessageGroupId"] == "k1.patient"
    assert message["Attributes"]["MessageDeduplicationId"] == f"{EVENT}.{message_id}"
    (entry,) = chain.entries(context, EVENT)
    assert (entry["action"], entry["actor"], entry["dead_letter_id"]) == (
        "REDRIVEN",
        f"operator:{ME}",
        message_id,
    )


def test_all_takes_every_message_even_one_that_names_no_event(
    aws: Any, ens: Ens, deployment: Deployment
) -> None:
    for number in range(23):
        dead_letter(aws, deployment, f"{number:032x}", group=f"g{number % 4}")
    aws.client("sqs").send_message(
        QueueUrl=deployment.output("DeadLetterQueueUrl"),
        MessageBody="[]",
        MessageGroupId="other producer",
        MessageDeduplicationId="x",
    )
    result = ens("dlq", "redrive", "--all")
    assert "24 messages redriven; the queue now holds about 0." in result.output
    assert "a message without event id" in result.output
    assert len(source_of(aws, deployment)) == 24


def test_the_order_of_one_patients_messages_survives(
    aws: Any, ens: Ens, deployment: Deployment
) -> None:
    for event_id in (THIRD, EVENT, OTHER):
        dead_letter(aws, deployment, event_id)
    ens("dlq", "redrive", "--all")
    sent = [m["envelope"]["event_id"] for m in source_of(aws, deployment)]
    assert sent == [THIRD, EVENT, OTHER]


def test_what_fails_again_while_all_are_redriven_stays_for_the_next_time(
    aws: Any, deployment: Deployment
) -> None:
    dead_letter(aws, deployment, EVENT)
    redriven = []
    for removed in redrive.every(deployment, "tester"):
        redriven.append(removed.event_id)
        assert len(redriven) < 3, "it would never end"
        dead_letter(aws, deployment, EVENT, copy=str(len(redriven) + 1))
    assert redriven == [EVENT]
    assert dead_of(aws, deployment) == [EVENT]


def test_one_that_fails_again_at_once_is_not_redriven_again(
    context: LedgerContext,
    aws: Any,
    ens: Ens,
    deployment: Deployment,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dead_letter(aws, deployment, EVENT)
    delete = redrive._delete

    def delete_and_fail_again(deployment: Deployment, message: dict[str, Any]) -> None:
        """The workflow is quick: the message is back before the next receive."""
        delete(deployment, message)
        (again,) = source_of(aws, deployment)
        aws.client("sqs").send_message(
            QueueUrl=deployment.output("DeadLetterQueueUrl"),
            MessageBody=again["Body"],
            MessageGroupId=again["Attributes"]["MessageGroupId"],
            MessageDeduplicationId=again["MessageId"],
        )

    monkeypatch.setattr(redrive, "_delete", delete_and_fail_again)
    for _ in range(2):
        assert ens("dlq", "redrive", EVENT).exit_code == 0
    assert [entry["action"] for entry in chain.entries(context, EVENT)] == ["REDRIVEN", "REDRIVEN"]
    assert dead_of(aws, deployment) == [EVENT]


@pytest.mark.parametrize("crash", ["_audit", "_delete"])
def test_killed_between_send_and_delete_nothing_is_lost_or_hidden(
    aws: Any, deployment: Deployment, monkeypatch: pytest.MonkeyPatch, crash: str
) -> None:
    dead_letter(aws, deployment, EVENT, group="g1")
    dead_letter(aws, deployment, OTHER, group="g2")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(redrive, crash, die)
        with pytest.raises(KeyboardInterrupt):
            redrive.one(deployment, EVENT, "tester")
    # The copy that was sent waits at the source; a second try within five minutes adds none.
    assert len(redrive.one(deployment, EVENT, "tester")) == 1
    assert [m["envelope"]["event_id"] for m in source_of(aws, deployment)] == [EVENT]
    assert dead_of(aws, deployment) == [OTHER]


def test_a_message_that_sqs_moved_itself_is_redriven_too(
    aws: Any, ens: Ens, deployment: Deployment
) -> None:
    sqs = aws.client("sqs")
    dead = sqs.get_queue_attributes(
        QueueUrl=deployment.output("DeadLetterQueueUrl"), AttributeNames=["QueueArn"]
    )["Attributes"]["QueueArn"]
    url = deployment.output("QueueUrl")
    sqs.set_queue_attributes(
        QueueUrl=url,
        Attributes={
            "VisibilityTimeout": "0",
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 1}),
        },
    )
    sqs.send_message(
        QueueUrl=url,
        MessageBody=json.dumps({"event_id": EVENT}),
        MessageGroupId="g",
        MessageDeduplicationId=EVENT,
    )
    for _ in range(2):
        sqs.receive_message(QueueUrl=url)
    assert dead_letters.queue_count(deployment) == 1
    assert ens("dlq", "redrive", EVENT).exit_code == 0
    assert [m["envelope"]["event_id"] for m in source_of(aws, deployment)] == [EVENT]


def test_what_is_not_there_is_one_sentence(aws: Any, ens: Ens, deployment: Deployment) -> None:
    empty = ens("dlq", "redrive", EVENT)
    assert (empty.exit_code, "The dead-letter queue is empty." in empty.output) == (1, True)
    dead_letter(aws, deployment, OTHER)
    missing = ens("dlq", "redrive", EVENT)
    assert (missing.exit_code, f"no message of event {EVENT}" in missing.output) == (1, True)
    assert dead_of(aws, deployment) == [OTHER]


def test_redrive_wants_one_event_or_all(ens: Ens) -> None:
    assert ens("dlq", "redrive").exit_code == 2
    assert ens("dlq", "redrive", EVENT, "--all").exit_code == 2
