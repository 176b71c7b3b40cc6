"""A chain whose first entries have reached their time to live is told from one that somebody cut."""

from hashlib import sha256
from itertools import combinations

from lambdas.common.audit.canonical import GENESIS, HEAD, canonical, hash_of
from lambdas.common.audit.checks import (
    DigestLine,
    EventItems,
    Expiry,
    check_chain,
    check_digests,
    check_head,
    check_outside,
    check_remains,
    check_unsealed,
    line_of,
)
from lambdas.common.aws.items import Item

UNTIL = "2020-11-26"
OLD, RECENT = "2020-10-01", "2026-11-20"


def chain_of(*days: str) -> list[Item]:
    """A chain with one entry of each of these days, and its head."""
    found: list[Item] = []
    previous = GENESIS
    for number, day in enumerate(days, 1):
        item: Item = {"event_id": "e", "sk": f"{number:08d}", "seq": number, "day": day}
        item["prev_hash"] = previous
        item["hash"] = previous = hash_of(previous, item)
        found.append(item)
    return [*found, {"event_id": "e", "sk": HEAD, "seq": len(days), "hash": previous}]


def faults(items: list[Item], lines: dict[str, DigestLine | None]) -> list[str]:
    event, expiry = EventItems.of("e", items), Expiry(lines, UNTIL)
    return [
        *check_chain(event.chained, None, expiry),
        *check_head(event, expiry, sealed=True),
        *check_outside(event, expiry),
        *check_digests(event, expiry),
    ]


def unchecked(items: list[Item], lines: dict[str, DigestLine | None]) -> list[str]:
    return list(check_remains(EventItems.of("e", items), Expiry(lines, UNTIL)))


def test_an_expired_first_entry_is_no_fault_where_an_old_digest_has_it() -> None:
    first, second, head = chain_of(OLD, RECENT)
    line = DigestLine(1, first["hash"])
    newest = {RECENT: DigestLine(2, second["hash"])}
    assert faults([second, head], {OLD: line, **newest}) == []
    assert faults([first, second, head], {OLD: line, **newest}) == []


def test_a_first_entry_that_is_missing_too_early_is_a_fault() -> None:
    first, second, head = chain_of(RECENT, RECENT)
    line = DigestLine(1, first["hash"])
    assert "entry 1 is missing" in faults([second, head], {})
    assert "entry 1 is missing" in faults([second, head], {"2026-11-19": line})
    assert "entry 1 is missing" in faults([second, head], {OLD: DigestLine(1, "f" * 64)})


def test_an_old_chain_may_be_expired_in_part() -> None:
    first, second, third, head = chain_of(OLD, OLD, OLD)
    lines: dict[str, DigestLine | None] = {OLD: DigestLine(3, third["hash"])}
    for rest in ([third, head], [third], [second, third], [head], []):
        assert faults(rest, lines) == []
    assert faults([first, second], {OLD: DigestLine(2, "f" * 64)}) != []


def test_entries_that_expire_one_by_one_are_not_called_missing() -> None:
    """DynamoDB deletes expired items in no order (developer guide, "Time to Live")."""
    *chain, head = chain_of(OLD, OLD, OLD, RECENT)
    lines: dict[str, DigestLine | None] = {
        OLD: DigestLine(3, chain[2]["hash"]),
        RECENT: DigestLine(4, chain[3]["hash"]),
    }
    recent = chain[3]
    for count in range(4):
        for kept in combinations(chain[:3], count):
            rest = [*kept, recent, head]
            assert faults(rest, lines) == [], [item["sk"] for item in kept]


def test_an_entry_before_an_expired_one_is_not_checked_rather_than_intact() -> None:
    first, second, third, head = chain_of(OLD, OLD, OLD)
    lines: dict[str, DigestLine | None] = {OLD: DigestLine(3, third["hash"])}
    said = ["entry 1 cannot be checked: the one after it is gone"]
    assert unchecked([first, third, head], lines) == said
    assert unchecked([first, head], lines) == said
    assert unchecked([second, third, head], lines) == []
    forged = {**first, "action": "SENT"}
    assert "entry 1 was altered" in faults([forged, third, head], lines)


def test_an_entry_in_the_middle_that_has_not_expired_is_missing() -> None:
    first, _, third, head = chain_of(RECENT, RECENT, RECENT)
    assert "entry 2 is missing" in faults([first, third, head], {})
    first, _, third, head = chain_of(OLD, RECENT, RECENT)
    lines: dict[str, DigestLine | None] = {OLD: DigestLine(1, first["hash"])}
    assert "entry 2 is missing" in faults([first, third, head], lines)


def completed(day: str) -> Item:
    """The workflow's own entry of a day."""
    return {
        "event_id": "e",
        "sk": f"workflow#{day}#CompleteEvent",
        "day": day,
        "step": "CompleteEvent",
        "actor": "workflow",
        "action": "COMPLETED",
        "outcome": "completed",
        "execution_arn": f"arn:aws:states:us-east-1:123456789012:express:machine:{day}:1",
    }


def test_an_expired_entry_of_the_workflow_is_no_fault_and_a_changed_one_is() -> None:
    first, second, head = chain_of(OLD, RECENT)
    own = completed(OLD)
    lines: dict[str, DigestLine | None] = {OLD: line_of([first, own]), RECENT: line_of([second])}
    assert faults([second, head], lines) == []
    assert faults([own, second, head], lines) == []
    changed = {**own, "time": "1"}
    assert faults([changed, second, head], lines) != []
    assert faults([own, second, head], {}) != []


def test_entries_outside_the_chain_that_expire_one_by_one_are_not_called_changed() -> None:
    first, second, head = chain_of(OLD, RECENT)
    run = {"sk": f"workflow#{OLD}-2#CompleteEvent", "execution_arn": f"arn:aws:states:{OLD}-2"}
    own, again = completed(OLD), {**completed(OLD), **run}
    lines: dict[str, DigestLine | None] = {
        OLD: line_of([first, own, again]),
        RECENT: line_of([second]),
    }
    for kept in ([own, again], [own], [again], []):
        assert faults([*kept, second, head], lines) == []
    for forged in ({**own, "time": "1"}, {**again, "sk": f"workflow#{OLD}-3#CompleteEvent"}):
        said = faults([again, forged, second, head], lines)
        assert f"an entry outside the chain was changed after the digest of {OLD}" in said


def test_the_first_digests_have_one_hash_over_all_entries_outside_the_chain() -> None:
    first, head = chain_of(RECENT)
    own = completed(RECENT) | {"execution_arn": "arn:x"}
    failed = {"step": "RecordFailure", "action": "FAILED", "outcome": "failed"}
    other = {**completed(RECENT), **failed, "sk": f"workflow#{RECENT}#RecordFailure"}
    together = sha256(b"\n".join([canonical(own), canonical(other)])).hexdigest()
    lines: dict[str, DigestLine | None] = {RECENT: DigestLine(1, first["hash"], together)}
    event, expiry = EventItems.of("e", [first, head, own, other]), Expiry(lines, UNTIL)
    assert list(check_digests(event, expiry)) == []
    event = EventItems.of("e", [first, head, own])
    assert list(check_digests(event, expiry)) != []


def test_a_recent_entry_of_the_workflow_that_is_missing_is_a_fault() -> None:
    first, head = chain_of(RECENT)
    lines: dict[str, DigestLine | None] = {RECENT: line_of([first, completed(RECENT)])}
    said = f"an entry outside the chain was changed after the digest of {RECENT}"
    assert said in faults([first, head], lines)


def test_an_old_chain_without_a_head_is_not_proven_without_its_digest() -> None:
    """An attacker without the key can write such a chain: nobody has sealed it."""
    first, second, third, _ = chain_of(OLD, OLD, OLD)
    proof = {OLD: DigestLine(3, third["hash"])}
    complete, cut = (EventItems.of("e", kept) for kept in ([first, second, third], [first, second]))
    assert check_unsealed(complete, proof, "") == ([], [])
    unproven = [f"the chain's head is gone, and no digest of {OLD} proves the last entry"]
    for event, lines in ((complete, {}), (cut, proof), (complete, {OLD: None})):
        assert check_unsealed(event, lines, "") == ([], unproven)
