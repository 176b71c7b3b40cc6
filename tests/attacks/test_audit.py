"""Attacks on the audit trail by somebody who may write the table, and has no right to a KMS key or the digests.

Each attack does what the table allows; the verifier must say that the trail is broken.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import boto3
import pytest

from lambdas.common.audit import chain
from lambdas.common.audit.canonical import EXPIRES, GENESIS, HEAD, canonical, hash_of
from lambdas.common.audit.checks import line_of
from lambdas.common.audit.context import AuditContext, AuditSettings
from lambdas.common.audit.digests import day_before, due_day, key_of
from lambdas.common.audit.verification import PeriodVerdict, verify, verify_period
from lambdas.common.audit.whole_table import PARTS, PartVerdict, verify_part
from lambdas.common.aws.items import Item, from_item, to_item
from lambdas.common.function.settings import StoredDays
from lambdas.common.keys import KeyRing
from lambdas.delivery.ledger.context import LedgerContext
from lambdas.digest_audit.digesting import write_due
from tests.support.audit import entry
from tests.support.older_chain import RING, older_items, write
from tests.support.seal_keys import DIGESTS
from tests.support.trails import Story, told

EVENT, OTHER = "a" * 32, "b" * 32


def today() -> str:
    """The day of the entries that a test writes: asked in each test, since a run may pass midnight."""
    return datetime.now(UTC).date().isoformat()


def tomorrow() -> datetime:
    return datetime.now(UTC) + timedelta(days=1)


@pytest.fixture
def table(aws: Any) -> Any:
    return boto3.resource("dynamodb").Table("audit")


@pytest.fixture
def auditing(context: LedgerContext) -> AuditContext:
    return AuditContext(AuditSettings.from_environment(), context.clients)


def partition(table: Any, event_id: str) -> list[Item]:
    found = table.query(
        KeyConditionExpression="event_id = :e", ExpressionAttributeValues={":e": event_id}
    )
    items: list[Item] = found["Items"]
    return items


def restore(table: Any, event_id: str, items: list[Item]) -> None:
    """Makes an event's partition what it was."""
    for item in partition(table, event_id):
        table.delete_item(Key={"event_id": event_id, "sk": item["sk"]})
    for item in items:
        table.put_item(Item=item)


def digested(auditing: AuditContext) -> None:
    """The digests of all days until today, as if it were tomorrow at noon."""
    noon = tomorrow().replace(hour=12)
    assert write_due(auditing, noon, lambda: 900) == [today()]


def period(auditing: AuditContext, also: tuple[str, ...] = ()) -> PeriodVerdict:
    return verify_period(
        auditing, auditing.digests(), today(), today(), due=due_day(tomorrow()), also=also
    )


def rewritten(items: list[Item]) -> list[Item]:
    """The chain with all hashes made anew, and a head without KMS: everything that needs no key."""
    chained = sorted(
        (i for i in deepcopy(items) if "seq" in i and i["sk"] != HEAD), key=lambda i: i["seq"]
    )
    previous = GENESIS
    for number, item in enumerate(chained, 1):
        item |= {"seq": number, "sk": f"{number:08d}", "prev_hash": previous}
        item.pop("hash")
        previous = hash_of(previous, item)
        item["hash"] = previous
    old_head = next(i for i in items if i["sk"] == HEAD)
    return [*chained, {**old_head, "seq": len(chained), "hash": previous}]


def cut_the_tail(items: list[Item]) -> list[Item]:
    """Entries and head rolled back to the third entry."""
    kept = [i for i in items if i["sk"] <= "00000003"]
    head = next(i for i in items if i["sk"] == HEAD)
    return [*kept, {**head, "seq": 3, "hash": kept[-1]["hash"]}]


def remove_an_entry(items: list[Item]) -> list[Item]:
    return rewritten([i for i in items if i["sk"] != "00000002"])


def swap_two_entries(items: list[Item]) -> list[Item]:
    swapped = {"00000002": 3, "00000003": 2}
    return rewritten(
        [{**i, "seq": swapped.get(i["sk"], i.get("seq"))} for i in items if "seq" in i]
    )


def change_a_fact(items: list[Item]) -> list[Item]:
    return rewritten([{**i, "actor": "somebody"} if i["sk"] == "00000003" else i for i in items])


def drop_the_seal(items: list[Item]) -> list[Item]:
    return [
        {name: value for name, value in i.items() if name not in ("seal", "seal_key")}
        for i in cut_the_tail(items)
    ]


def rewrite_with_the_retired_key(items: list[Item]) -> list[Item]:
    """The chain in the format of earlier versions, with their key, which was exposed."""
    return older_items(EVENT, today(), "RECEIVED", "PARSED", "NO_RECIPIENT")


ON_THE_TABLE = [
    (cut_the_tail, "the seal of the chain's head is not valid"),
    (remove_an_entry, "the seal of the chain's head is not valid"),
    (swap_two_entries, "the seal of the chain's head is not valid"),
    (change_a_fact, "the seal of the chain's head is not valid"),
]


@pytest.mark.parametrize(("attack", "says"), ON_THE_TABLE)
def test_a_chain_that_was_changed_and_made_consistent_again_has_no_valid_seal(
    context: LedgerContext,
    auditing: AuditContext,
    table: Any,
    attack: Callable[[list[Item]], list[Item]],
    says: str,
) -> None:
    told(context, EVENT)
    restore(table, EVENT, attack(partition(table, EVENT)))
    verdict = verify(auditing, EVENT, auditing.digests())
    assert says in verdict.problems
    assert period(auditing).broken


@pytest.mark.parametrize("attack", [drop_the_seal, rewrite_with_the_retired_key])
def test_a_head_without_a_seal_proves_nothing(
    context: LedgerContext,
    auditing: AuditContext,
    table: Any,
    attack: Callable[[list[Item]], list[Item]],
) -> None:
    told(context, EVENT)
    told(context, OTHER)
    before = partition(table, EVENT)
    restore(table, EVENT, attack(before))
    first = verify(auditing, EVENT, auditing.digests())
    assert not first.holds, "not proven before the first digest"
    restore(table, EVENT, before)
    digested(auditing)
    restore(table, EVENT, attack(before))
    assert "the chain's head is not sealed" in verify(auditing, EVENT, auditing.digests()).problems


def test_a_removed_event_is_missed_by_the_digest_of_its_day(
    context: LedgerContext, auditing: AuditContext, table: Any
) -> None:
    told(context, EVENT)
    told(context, OTHER)
    digested(auditing)
    assert period(auditing).holds
    restore(table, EVENT, [])
    (faulty,) = period(auditing).faulty
    assert faulty.event_id == EVENT
    assert faulty.problems[0] == f"entry 5 is missing: the digest of {today()} has it"


def test_a_table_restored_from_an_older_time_contradicts_the_digest(
    context: LedgerContext, auditing: AuditContext, table: Any
) -> None:
    story = Story(context, EVENT).run().received()
    # The older state has a valid seal of its own.
    older = partition(table, EVENT)
    story.parsed().resolved("k1.aaaa").completed()
    digested(auditing)
    restore(table, EVENT, older)
    verdict = verify(auditing, EVENT, auditing.digests())
    assert f"entry 3 is missing: the digest of {today()} has it" in verdict.problems


def test_an_entry_beside_the_chain_that_the_workflow_did_not_write_is_reported(
    context: LedgerContext, auditing: AuditContext, table: Any
) -> None:
    told(context, EVENT)
    genuine = next(i for i in partition(table, EVENT) if i["sk"].startswith("workflow#"))
    forged = [
        {**genuine, "sk": "workflow#other#CompleteEvent", "execution_arn": "arn:x:other"},
        {**genuine, "sk": "workflow#run-1#DeliverNotification", "step": "DeliverNotification"},
        {**genuine, "sk": "note", "action": "SENT"},
    ]
    for one in forged:
        table.put_item(Item=one)
        problems = verify(auditing, EVENT).problems
        assert [p for p in problems if one["sk"] in p], one["sk"]
        table.delete_item(Key={"event_id": EVENT, "sk": one["sk"]})
    assert verify(auditing, EVENT).holds


@pytest.mark.parametrize("change", ["added", "altered", "removed"])
def test_the_workflows_entries_are_bound_by_the_digest(
    context: LedgerContext, auditing: AuditContext, table: Any, change: str
) -> None:
    told(context, EVENT)
    digested(auditing)
    genuine = next(i for i in partition(table, EVENT) if i["sk"].startswith("workflow#"))
    if change == "removed":
        table.delete_item(Key={"event_id": EVENT, "sk": genuine["sk"]})
    else:
        failure = {"sk": "workflow#run-1#RecordFailure", "step": "RecordFailure"}
        more = (
            {**failure, "action": "FAILED", "outcome": "failed"} if change == "added" else {"x": 1}
        )
        table.put_item(Item={**genuine, **more})
    assert verify(auditing, EVENT, auditing.digests()).problems == [
        f"an entry outside the chain was changed after the digest of {today()}"
    ]


def test_an_event_invented_for_a_day_that_has_its_digest_is_reported(
    context: LedgerContext, auditing: AuditContext, table: Any
) -> None:
    told(context, EVENT)
    digested(auditing)
    invented = [{**item, "event_id": OTHER} for item in partition(table, EVENT)]
    for item in rewritten(invented):
        table.put_item(Item=item)
    (faulty,) = period(auditing).faulty
    assert faulty.event_id == OTHER
    assert f"entry 1 was added after the digest of {today()}" in faulty.problems


def test_a_digest_that_is_missing_replaced_or_unreadable_is_reported(
    context: LedgerContext, auditing: AuditContext, table: Any
) -> None:
    # The bucket forbids it. Without Object Lock the chain of digests still shows it.
    s3, day = boto3.client("s3"), day_before(today())
    write(auditing, older_items(OTHER, day, "RECEIVED", "PARSED"))
    told(context, EVENT)
    write_due(auditing, tomorrow().replace(hour=12), lambda: 900)

    def problems() -> list[str]:
        found = verify_period(auditing, auditing.digests(), day, today(), due=today())
        return found.problems

    assert problems() == []
    genuine = s3.get_object(Bucket=DIGESTS, Key=key_of(day))["Body"].read()
    replaced = genuine.replace(b'"made_at":"20', b'"made_at":"19')
    s3.put_object(Bucket=DIGESTS, Key=key_of(day), Body=replaced)
    assert problems() == [f"the digest of {today()} does not follow the one before it"]
    s3.put_object(Bucket=DIGESTS, Key=key_of(day), Body=genuine[:-20])
    assert f"the digest of {day} is unreadable" in problems()
    s3.put_object(Bucket=DIGESTS, Key=key_of(day), Body=genuine)
    s3.delete_object(Bucket=DIGESTS, Key=key_of(today()))
    assert problems() == [f"there is no digest of {today()}"]


def test_chains_of_earlier_versions_are_proven_by_their_first_digest(
    context: LedgerContext, auditing: AuditContext, table: Any
) -> None:
    day = (datetime.now(UTC) - timedelta(days=3)).date().isoformat()
    write(auditing, older_items(EVENT, day, "RECEIVED", "PARSED", "NO_RECIPIENT"))
    unproven = verify(auditing, EVENT, auditing.digests())
    assert (unproven.problems, len(unproven.unchecked)) == ([], 1)
    chain.append(auditing, OTHER, entry("ParseMessage", "RECEIVED"))
    made = write_due(auditing, tomorrow().replace(hour=12), lambda: 900)
    assert (made[0], made[-1], len(made)) == (day, today(), 4)
    assert verify(auditing, EVENT, auditing.digests()).holds

    forged = older_items(EVENT, day, "RECEIVED", "PARSED", "COMPLETED")
    restore(table, EVENT, forged)
    verdict = verify(auditing, EVENT, auditing.digests())
    assert f"entry 3 is not the one in the digest of {day}" in verdict.problems
    restore(table, EVENT, older_items(EVENT, day, "RECEIVED", ring=KeyRing("k7", {"k7": b"own"})))
    problems = verify(auditing, EVENT, auditing.digests()).problems
    assert "entry 1 was sealed with a key that is gone" in problems


def test_an_older_chain_goes_on_with_a_sealed_head(auditing: AuditContext, table: Any) -> None:
    write(auditing, older_items(EVENT, today(), "RECEIVED", "PARSED"))
    chain.append(auditing, EVENT, entry("LookupIdentities", "RESOLVED"))
    assert verify(auditing, EVENT).holds
    assert RING.current == "k1"
    last = next(i for i in partition(table, EVENT) if i["sk"] == "00000003")
    assert "key_id" not in last
    assert canonical(last)


def test_a_head_that_is_left_of_an_expired_chain_is_no_attack(
    auditing: AuditContext, table: Any
) -> None:
    """DynamoDB deletes expired items in no order, within a few days (developer guide, "Time to Live")."""
    chain.append(auditing, EVENT, entry("ParseMessage", "RECEIVED"))
    digested(auditing)
    table.delete_item(Key={"event_id": EVENT, "sk": "00000001"})
    expired = StoredDays(audit=0)
    later = replace(auditing, settings=replace(auditing.settings, stored_days=expired))
    assert not verify(auditing, EVENT, auditing.digests()).holds
    assert verify(later, EVENT, later.digests()).holds


ABSURD: list[Any] = [
    None,
    True,
    Decimal(0),
    Decimal(-1),
    Decimal("1.5"),
    Decimal("9E+125"),
    "",
    "1",
    "9999-99-99",
    "9999-12-31",
    "0001-01-01",
    "x" * 20_000,
    b"\x00\xff",
    {"a", "b"},
    {Decimal(1), Decimal("1.5")},
    {b"\x00"},
    ["a", {"b": [None]}],
    {"a": {"b": Decimal("0.1")}},
]
"""A value of each type of DynamoDB (developer guide, "Naming rules and data types"), and absurd ones."""


def variants(items: list[Item]) -> Iterator[tuple[str, Item]]:
    """Each item of a partition with each attribute missing, and of each absurd value."""
    for item in items:
        for name in item.keys() - {"event_id", "sk"}:
            yield f"{item['sk']} without {name}", {k: v for k, v in item.items() if k != name}
            for value in ABSURD:
                if value is True or value != item[name]:
                    yield f"{item['sk']} {name}={value!r:.40}", {**item, name: value}


NOT_COVERED = f" {EXPIRES}"
"""The time to live is outside the hash, so that a period can be prolonged (docs/adr/0292)."""

PROVEN_BY_THE_DIGEST = "HEAD without seal"


def test_whatever_type_a_forged_attribute_has_the_verifier_says_what_is_wrong(
    context: LedgerContext, auditing: AuditContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    Story(context, EVENT).run().received().parsed().completed()
    items = chain.items(auditing, EVENT)
    digested(auditing)
    digests = auditing.digests()
    assert verify(auditing, EVENT, digests).holds
    silent = []
    for name, forged in variants(items):
        stored = from_item(to_item(forged))
        others = [item for item in items if item["sk"] != forged["sk"]]
        partition = [*others, stored]
        monkeypatch.setattr(chain, "items", lambda *_, found=partition: found)
        if verify(auditing, EVENT, digests).holds:
            silent.append(name)
        line_of(partition)
    assert [name for name in silent if NOT_COVERED not in name] == [PROVEN_BY_THE_DIGEST]


@pytest.mark.parametrize("seq", ["1", Decimal("1.5"), True, Decimal(-1), Decimal("9E+125"), b"1"])
def test_a_forged_number_stops_neither_the_digest_nor_the_verification(
    context: LedgerContext, auditing: AuditContext, table: Any, seq: Any
) -> None:
    told(context, EVENT)
    told(context, OTHER)
    genuine = partition(table, OTHER)
    table.put_item(Item={**genuine[0], "event_id": OTHER, "sk": "note", "seq": seq})
    digested(auditing)
    (faulty,) = period(auditing).faulty
    assert faulty.event_id == OTHER
    assert faulty.problems


def without(*names: str) -> Callable[[Item], Item]:
    return lambda item: {name: value for name, value in item.items() if name not in names}


def dated(day: str) -> Callable[[Item], Item]:
    return lambda item: {**item, "day": day} if "day" in item else item


def heads_alone(item: Item) -> Item | None:
    return item if item["sk"] == HEAD else None


@pytest.mark.parametrize(
    ("forge", "says"),
    [
        (without("outcome_time"), "has no outcome_time"),
        (without("day"), "has no day"),
        (without("day", "outcome_time", "time"), "has no day"),
        (dated("some day"), "has no day"),
        (dated("20261126"), "has no day"),
        (dated("9999-01-01"), "is of a day that has not begun"),
        (dated("1999-01-01"), "is of another day than its time"),
        (heads_alone, "the chain ends at entry 0"),
    ],
)
def test_an_event_that_no_day_has_is_found_in_the_table(
    context: LedgerContext,
    auditing: AuditContext,
    table: Any,
    forge: Callable[[Item], Item | None],
    says: str,
) -> None:
    told(context, EVENT)
    digested(auditing)
    for item in partition(table, EVENT):
        if forged := forge({**item, "event_id": OTHER}):
            table.put_item(Item=forged)
    assert period(auditing).holds, "no index, digest or status names the event"
    (faulty,) = [one for part in all_parts(auditing) for one in part.faulty]
    assert faulty.event_id == OTHER
    assert [problem for problem in faulty.problems if says in problem]


def all_parts(auditing: AuditContext) -> list[PartVerdict]:
    digests = auditing.digests()
    return [verify_part(auditing, digests, part) for part in range(PARTS)]


def test_a_table_without_forged_items_has_no_fault_and_names_its_days(
    context: LedgerContext, auditing: AuditContext, table: Any
) -> None:
    told(context, EVENT)
    day = (datetime.now(UTC) - timedelta(days=3)).date().isoformat()
    write(auditing, older_items(OTHER, day, "RECEIVED", "PARSED"))
    parts = all_parts(auditing)
    assert [one for part in parts for one in part.faulty] == []
    assert sum(part.events for part in parts) == 2
    assert {day, today()} == {one for p in parts for one in (p.first_day, p.last_day)} - {""}


def test_an_entry_of_the_workflow_that_no_day_has_is_reported_with_its_event(
    context: LedgerContext, auditing: AuditContext, table: Any
) -> None:
    told(context, EVENT)
    genuine = next(i for i in partition(table, EVENT) if i["sk"].startswith("workflow#"))
    failure = {"step": "RecordFailure", "action": "FAILED", "outcome": "failed"}
    forged = {**genuine, **failure, "sk": "workflow#run-1#RecordFailure"}
    table.put_item(Item=without("outcome_time")(forged))
    assert verify(auditing, EVENT).problems == [f"entry {forged['sk']} has no outcome_time"]


def test_entries_that_expire_one_by_one_are_no_attack_and_earlier_removals_are(
    context: LedgerContext, auditing: AuditContext, table: Any
) -> None:
    """DynamoDB deletes expired items in no order, within a few days (developer guide, "Time to Live")."""
    story = Story(context, EVENT).run().received().parsed().completed()
    story.run().step("DeliverNotification", "ALREADY_SENT").completed()
    digested(auditing)
    expired = StoredDays(audit=0)
    later = replace(auditing, settings=replace(auditing.settings, stored_days=expired))
    items = partition(table, EVENT)
    assert len(items) == 6
    for removed in items:
        restore(table, EVENT, [item for item in items if item is not removed])
        assert verify(auditing, EVENT, auditing.digests()).problems, removed["sk"]
        assert verify(later, EVENT, later.digests()).problems == [], removed["sk"]
        left = [item for item in items if item["sk"] > removed["sk"]]
        restore(table, EVENT, left)
        assert verify(later, EVENT, later.digests()).problems == [], removed["sk"]
    restore(table, EVENT, items)
    own = next(item for item in items if item["sk"].startswith("workflow#run-1"))
    table.put_item(Item={**own, "started_at": "2020-01-01T00:00:00.000Z"})
    assert verify(later, EVENT, later.digests()).problems
