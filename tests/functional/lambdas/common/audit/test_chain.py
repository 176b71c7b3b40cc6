"""The audit chain: what it holds, what it shows when somebody was at it, and how writers share it."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from lambdas.common.audit import chain, verification
from lambdas.common.audit.canonical import HEAD
from lambdas.common.clock import now
from lambdas.common.errors import DependencyUnavailableError
from lambdas.delivery.ledger.context import LedgerContext
from tests.support.audit import entry
from tests.support.seal_keys import SEAL_KEY

EVENT = "5e" * 16
Table = Any


@pytest.fixture
def table(aws: Any) -> Table:
    return boto3.resource("dynamodb").Table("audit")


def append(context: LedgerContext, action: str = "PARSED", **facts: Any) -> dict[str, Any]:
    return chain.append(context, EVENT, entry("ParseMessage", action, **facts))


def three(context: LedgerContext, table: Table) -> None:
    for action in ("RECEIVED", "PARSED", "RESOLVED"):
        append(
            context,
            action,
            counts={"notes": 2},
            documents=[{"key": "k", "version_id": "v", "sha256": "0"}],
        )
    assert verification.verify(context, EVENT).holds


def test_entries_follow_each_other_and_the_chain_holds(
    context: LedgerContext, table: Table
) -> None:
    three(context, table)
    entries = chain.entries(context, EVENT)
    assert [e["action"] for e in entries] == ["RECEIVED", "PARSED", "RESOLVED"]
    assert [e["seq"] for e in entries] == [1, 2, 3]
    assert entries[1]["prev_hash"] == entries[0]["hash"]
    verdict = verification.verify(context, EVENT)
    assert (verdict.entries, verdict.outside_chain, verdict.problems) == (3, 0, [])


def test_entries_appended_together_follow_each_other_and_are_all_there_or_none(
    context: LedgerContext,
    table: Table,
) -> None:
    append(context, "RECEIVED")
    both = [entry("LookupIdentities", action) for action in ("QUERIED", "RESOLVED")]
    assert chain.append(context, EVENT, *both)["action"] == "RESOLVED"
    assert [e["seq"] for e in chain.entries(context, EVENT)] == [1, 2, 3]
    assert verification.verify(context, EVENT).holds
    table.delete_item(Key={"event_id": EVENT, "sk": "00000002"})
    assert verification.verify(context, EVENT).problems[0] == "entry 2 is missing"


def test_more_entries_than_a_transaction_takes_follow_each_other(
    context: LedgerContext, table: Table
) -> None:
    """A patient may have more suppressed recipients than TransactWriteItems takes actions."""
    append(context, "RECEIVED")
    many = [entry("LookupIdentities", "SUPPRESSED") for _ in range(150)]
    assert chain.append(context, EVENT, *many)["seq"] == 151
    assert [e["seq"] for e in chain.entries(context, EVENT)] == list(range(1, 152))
    assert verification.verify(context, EVENT).holds


def test_a_failure_between_two_transactions_leaves_a_chain_that_holds_and_goes_on(
    context: LedgerContext, table: Table
) -> None:
    many = [entry("LookupIdentities", "SUPPRESSED") for _ in range(150)]
    begun: list[Any] = []

    def fail_second(**_: Any) -> None:
        begun.append(None)
        if len(begun) == 2:
            raise EndpointConnectionError(endpoint_url="dynamodb")

    events = context.client("dynamodb").meta.events
    events.register("before-call.dynamodb.TransactWriteItems", fail_second)
    with pytest.raises(DependencyUnavailableError):
        chain.append(context, EVENT, *many)
    assert len(chain.entries(context, EVENT)) == chain.MAX_TOGETHER
    assert append(context, "RESOLVED")["seq"] == chain.MAX_TOGETHER + 1
    assert verification.verify(context, EVENT).holds


def test_an_event_that_was_never_seen_has_an_empty_chain(
    context: LedgerContext, table: Table
) -> None:
    assert chain.entries(context, EVENT) == []
    assert verification.verify(context, EVENT).holds


def change(name: str, value: Any) -> Callable[[Table], None]:
    def act(table: Table) -> None:
        table.update_item(
            Key={"event_id": EVENT, "sk": "00000002"},
            UpdateExpression="SET #n = :v",
            ExpressionAttributeNames={"#n": name},
            ExpressionAttributeValues={":v": value},
        )

    return act


def remove_attribute(name: str) -> Callable[[Table], None]:
    def act(table: Table) -> None:
        table.update_item(
            Key={"event_id": EVENT, "sk": "00000002"},
            UpdateExpression="REMOVE #n",
            ExpressionAttributeNames={"#n": name},
        )

    return act


def delete(sort_key: str) -> Callable[[Table], None]:
    def act(table: Table) -> None:
        table.delete_item(Key={"event_id": EVENT, "sk": sort_key})

    return act


def append_without_the_key(table: Table) -> None:
    last = table.get_item(Key={"event_id": EVENT, "sk": "00000003"})["Item"]
    forged = {**last, "sk": "00000004", "seq": 4, "prev_hash": last["hash"], "hash": "f" * 64}
    table.put_item(Item=forged)
    table.put_item(Item={"event_id": EVENT, "sk": HEAD, "seq": 4, "hash": "f" * 64})


@pytest.mark.parametrize(
    ("tamper", "says"),
    [
        (change("outcome", "failed"), "entry 2 was altered"),
        (change("time", "2020-01-01T00:00:00.000Z"), "entry 2 was altered"),
        (change("counts", {"notes": 3}), "entry 2 was altered"),
        (change("added", "x"), "entry 2 was altered"),
        (change("hash", "0" * 64), "entry 2 was altered"),
        (change("key_id", "k9"), "entry 2 was sealed with a key that is gone"),
        (remove_attribute("counts"), "entry 2 was altered"),
        (remove_attribute("hash"), "entry 2 was altered"),
        (remove_attribute("prev_hash"), "entry 2 does not follow the one before it"),
        (change("key_id", "k1"), "entry 2 was altered"),
        (remove_attribute("seq"), "entry 2 is missing"),
        (delete("00000001"), "entry 1 is missing"),
        (delete("00000002"), "entry 2 is missing"),
        (delete("00000003"), "the chain ends at entry 2, its head says otherwise"),
        (delete(HEAD), "the chain's head is missing"),
        (append_without_the_key, "entry 4 was altered"),
    ],
)
def test_what_somebody_did_to_the_chain_shows(
    context: LedgerContext, table: Table, tamper: Callable[[Table], None], says: str
) -> None:
    three(context, table)
    tamper(table)
    assert says in verification.verify(context, EVENT).problems


def at(time: str, outcome: str) -> dict[str, str]:
    """The members of an entry by which the index `by_day` has it."""
    return {"time": time, "day": time[:10], "outcome_time": f"{outcome}#{time}"}


def test_the_workflows_own_entries_stand_outside_and_are_counted(
    context: LedgerContext, table: Table
) -> None:
    three(context, table)
    execution = "arn:aws:states:us-east-1:123456789012:express:machine:x:1"
    append(context, "SENT", execution_arn=execution)
    table.put_item(
        Item={
            "event_id": EVENT,
            "sk": "workflow#x#CompleteEvent",
            "step": "CompleteEvent",
            "actor": "workflow",
            **at(now(), "completed"),
            "action": "COMPLETED",
            "outcome": "completed",
            "execution_arn": execution,
        }
    )
    verdict = verification.verify(context, EVENT)
    assert (verdict.holds, verdict.entries, verdict.outside_chain) == (True, 4, 1)
    assert chain.entries(context, EVENT)[-1]["action"] == "COMPLETED"


def test_a_chain_goes_on_under_a_new_seal_key_and_still_verifies_with_the_old(
    context: LedgerContext, table: Table
) -> None:
    append(context, "RECEIVED")
    other = "b" * 32
    chain.append(context, other, entry("ParseMessage", "RECEIVED"))
    new = boto3.client("kms").create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    arn = new["KeyMetadata"]["Arn"]
    settings = replace(context.settings, audit_seal_key=arn, audit_seal_keys=f"{arn},{SEAL_KEY}")
    rotated = LedgerContext(settings, context.clients)
    append(rotated, "PARSED")
    assert table.get_item(Key={"event_id": EVENT, "sk": HEAD})["Item"]["seal_key"] == arn
    assert verification.verify(rotated, EVENT).holds
    assert verification.verify(rotated, other).holds, "sealed with the older key"
    assert not verification.verify(context, EVENT).holds, "not a key of this environment"


def test_an_empty_fact_is_absent_because_an_index_takes_no_empty_key(
    context: LedgerContext, table: Table
) -> None:
    append(context, "RESOLVED", patient_ref="", encounter_ref=None, attempt=0, counts={})
    [entry] = chain.entries(context, EVENT)
    assert "patient_ref" not in entry
    assert "encounter_ref" not in entry
    assert entry["attempt"] == 0
    assert verification.verify(context, EVENT).holds


def test_writers_at_the_same_time_make_one_chain(context: LedgerContext, table: Table) -> None:
    failures: list[Exception] = []

    def write(number: int) -> None:
        try:
            append(context, "SENT", attempt=number)
        except DependencyUnavailableError as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert failures == []
    assert sorted(e["attempt"] for e in chain.entries(context, EVENT)) == list(range(6))
    assert verification.verify(context, EVENT).holds


def cancelled(*reasons: str) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": "TransactionCanceledException", "Message": "cancelled"},
            "ResponseMetadata": {"HTTPStatusCode": 400},
            "CancellationReasons": [{"Code": reason} for reason in reasons],
        },
        "TransactWriteItems",
    )


def failing(
    context: LedgerContext, monkeypatch: pytest.MonkeyPatch, *errors: ClientError
) -> list[str]:
    """The next transactions end in these errors; the list grows with each transaction."""
    dynamodb, left, calls = context.client("dynamodb"), list(errors), []
    real = dynamodb.transact_write_items

    def transact(**arguments: Any) -> Any:
        calls.append("TransactWriteItems")
        if left:
            raise left.pop(0)
        return real(**arguments)

    monkeypatch.setattr(dynamodb, "transact_write_items", transact)
    return calls


def test_a_writer_that_lost_the_head_tries_again(
    context: LedgerContext, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = failing(
        context,
        monkeypatch,
        cancelled("ConditionalCheckFailed", "None"),
        cancelled("TransactionConflict", "TransactionConflict"),
    )
    append(context)
    assert len(calls) == 3


def test_a_writer_that_never_wins_leaves_it_to_the_workflows_retry(
    context: LedgerContext, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain, "MAX_PAUSE_SECONDS", 0)
    calls = failing(context, monkeypatch, *[cancelled("ConditionalCheckFailed", "None")] * 20)
    with pytest.raises(DependencyUnavailableError, match="contended"):
        append(context)
    assert len(calls) == chain.APPEND_TRIES


def test_a_table_that_throttles_is_unavailable(
    context: LedgerContext, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(context, monkeypatch, cancelled("None", "ThrottlingError"))
    with pytest.raises(DependencyUnavailableError, match="throttles"):
        append(context)


def test_an_entry_that_dynamodb_finds_invalid_is_our_fault_and_not_tried_again(
    context: LedgerContext, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = failing(context, monkeypatch, cancelled("None", "ValidationError"))
    with pytest.raises(ClientError):
        append(context)
    assert len(calls) == 1


def test_entries_of_many_pages_are_all_read(context: LedgerContext, table: Table) -> None:
    with table.batch_writer() as batch:
        for number in range(30):
            batch.put_item(
                Item={
                    "event_id": EVENT,
                    "sk": f"w#{number:02d}",
                    "time": "1",
                    "filler": "x" * 50_000,
                }
            )
    assert len(chain.entries(context, EVENT)) == 30
