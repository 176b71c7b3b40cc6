"""A chain whose first entries have reached their time to live is told from one that somebody cut."""

from lambdas.common.audit.canonical import GENESIS, HEAD, hash_of
from lambdas.common.audit.checks import (
    DigestLine,
    EventItems,
    check_chain,
    check_digests,
    check_head,
    check_outside,
    check_unsealed,
    last_expired,
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
    event = EventItems.of("e", items)
    return [
        *check_chain(event.chained, None, last_expired(event, lines, UNTIL)),
        *check_head(event, lines, UNTIL, sealed=True),
        *check_outside(event, lines, UNTIL),
        *check_digests(event, lines, UNTIL),
    ]


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


def test_an_old_chain_may_be_expired_in_part_and_not_in_the_middle() -> None:
    first, second, third, head = chain_of(OLD, OLD, OLD)
    lines: dict[str, DigestLine | None] = {OLD: DigestLine(3, third["hash"])}
    for rest in ([third, head], [third], [second, third], [head], []):
        assert faults(rest, lines) == []
    assert faults([first, third, head], lines) != []
    assert faults([first, second], {OLD: DigestLine(2, "f" * 64)}) != []


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
