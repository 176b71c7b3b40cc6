"""`ens replay`: a completed event again, from what audit and vault kept, in a person's name."""

from collections.abc import Callable
from typing import Any

from click.testing import Result

from lambdas.common.audit import chain
from lambdas.common.contracts.document import read_as
from lambdas.common.contracts.workflow.envelope import Envelope
from lambdas.delivery.ledger.context import LedgerContext
from ops.deployment import Deployment
from tests.support.deployment import ME, drain
from tests.support.messages import sample, vaulted
from tests.support.trails import Story, told

Ens = Callable[..., Result]
EVENT = "a" * 32


def test_the_envelope_is_rebuilt_from_the_receipt_and_names_who(
    context: LedgerContext, aws: Any, ens: Ens, deployment: Deployment
) -> None:
    story = told(context, EVENT)
    assert ens("replay", EVENT).exit_code == 0
    (message,) = drain(aws, deployment.output("QueueUrl"))
    assert read_as(Envelope, message["envelope"]) == Envelope(
        event_id=EVENT,
        bucket="vault",
        key=f"events/{EVENT}/message.hl7",
        version_id="v1",
        digest="k1." + "ab" * 16,
        bytes=5,
        received_at=story.received_at,
        receiver="task-1",
        connection="connection-1",
        sender="northgen",
        replay=ME,
    )
    last = chain.entries(context, EVENT)[-1]
    assert (last["action"], last["outcome"], last["actor"]) == (
        "REPLAYED",
        "ok",
        f"operator:{ME}",
    )


def test_two_replays_within_five_minutes_are_two_messages(
    context: LedgerContext, aws: Any, ens: Ens, deployment: Deployment
) -> None:
    told(context, EVENT)
    for _ in range(2):
        ens("replay", EVENT)
    assert len(drain(aws, deployment.output("QueueUrl"))) == 2


def test_an_event_without_a_receipt_is_rebuilt_from_the_vault(
    context: LedgerContext, aws: Any, ens: Ens, deployment: Deployment
) -> None:
    stored = vaulted(sample("admission"), event_id=EVENT)
    Story(context, EVENT).run().failed("DependencyUnavailableError", "ParseMessage")
    assert ens("replay", EVENT).exit_code == 0
    (message,) = drain(aws, deployment.output("QueueUrl"))
    for name in ("bucket", "key", "version_id", "digest", "bytes"):
        assert message["envelope"][name] == stored[name]


def test_what_cannot_be_replayed_is_one_sentence_and_nothing_is_sent(
    context: LedgerContext, aws: Any, ens: Ens, deployment: Deployment
) -> None:
    Story(context, "b" * 32).run().failed("DependencyUnavailableError", "ParseMessage")
    Story(context, "c" * 32).run().received()
    for event_id, sentence in (
        ("d" * 32, "has no event"),
        ("b" * 32, "The vault has no message"),
        ("c" * 32, "still being processed"),
    ):
        result = ens("replay", event_id)
        assert (result.exit_code, sentence in result.output) == (1, True)
    assert drain(aws, deployment.output("QueueUrl")) == []


def test_an_open_event_is_replayed_when_asked_for_plainly(
    context: LedgerContext, aws: Any, ens: Ens, deployment: Deployment
) -> None:
    Story(context, EVENT).run().received()
    assert ens("replay", EVENT, "--open").exit_code == 0
    assert len(drain(aws, deployment.output("QueueUrl"))) == 1


def test_a_replay_that_the_queue_refuses_is_audited_as_failed(
    context: LedgerContext, aws: Any, ens: Ens, deployment: Deployment
) -> None:
    told(context, EVENT)
    aws.client("sqs").delete_queue(QueueUrl=deployment.output("QueueUrl"))
    result = ens("replay", EVENT)
    assert (result.exit_code, "AWS answered SendMessage with" in result.output) == (1, True)
    assert [e["outcome"] for e in chain.entries(context, EVENT)[-2:]] == ["ok", "failed"]
