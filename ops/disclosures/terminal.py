"""Prints an account of disclosures: one block for each event, one line for each recipient."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ops.audit.principal import name_of_actor
from ops.disclosures.audit_search import DisclosureAccount
from ops.disclosures.records import DISCLOSED, Disclosure, Fate
from ops.disclosures.subjects import Names
from ops.output import clock, count, sentence_case, words

STYLES = {
    Fate.TOLD: "green",
    Fate.RETURNED: "red",
    Fate.UNKNOWN: "yellow",
    Fate.REFUSED: "red",
    Fate.FAILED: "bold red",
}
SHORT = 11
"""Characters of a reference that are shown: the key's id and eight digits."""


def show(account: DisclosureAccount, names: Names, out: Console, *, by_patient: bool) -> None:
    """Prints the account. `by_patient`: of one patient, by recipient; else of one provider, by patient."""
    if not account.disclosures:
        out.print("Nobody was told or considered in this period.")
    # Events overlap in time: each is one block, at its first record of the day.
    blocks: defaultdict[tuple[str, str], list[Disclosure]] = defaultdict(list)
    for one in account.disclosures:
        blocks[one.event_id, one.time[:10]].append(one)
    for records in blocks.values():
        _block(records, names, out, by_patient=by_patient)
    for reading in account.readings:
        out.print(Text(f"{clock(reading.time)} UTC  audit read by {name_of_actor(reading.actor)}"))
    if account.disclosures:
        out.print()
        out.print(_sums(account.disclosures))


def _block(records: list[Disclosure], names: Names, out: Console, *, by_patient: bool) -> None:
    """One event's records, in columns that wrap at 80 characters."""
    first = records[0]
    kind = sentence_case(words(first.event_kind) or "event")
    sender = f" from {first.sender}" if first.sender else ""
    head = Text(f"{clock(first.time)} UTC  ")
    head.append(kind, style="bold")
    head.append(f"{sender} (ref. {first.reference})")
    out.print(head)
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(width=2)
    grid.add_column(width=10)
    grid.add_column(ratio=2, max_width=34)
    grid.add_column(ratio=3)
    for one in records:
        who = _who(one, names) if by_patient else f"patient {one.patient_ref[:SHORT]}"
        fate = Text(one.fate, style=STYLES.get(one.fate, ""))
        grid.add_row("", fate, Text(who), Text("; ".join(_facts(one, names))))
    out.print(grid)


def _who(one: Disclosure, names: Names) -> str:
    known = names.get(one.recipient_ref)
    return (known.name if known else "") or one.recipient_ref[:SHORT]


def _facts(one: Disclosure, names: Names) -> Iterable[str]:
    """The relationship, the content, the rule and the mail's further way."""
    if one.relationships:
        yield ", ".join(words(reason) for reason in one.relationships)
    if one.fate in DISCLOSED:
        yield f"{one.channel or 'mail'}, {one.detail or 'full'} detail"
    if one.told_with:
        other = names.get(one.told_with)
        yield f"in the mail to {other.name if other else one.told_with[:SHORT]}"
    if one.because:
        yield words(one.because).lower() if one.because.isupper() else words(one.because)
    if one.reduced:
        yield f"reduced: {words(one.reduced)}"
    if one.rule.left_out:
        yield f"left out: {', '.join(words(part) for part in one.rule.left_out)}"
    if str(one.rule):
        yield f"rule {one.rule}"
    if one.rule.consent_id:
        yield f"consent {one.rule.consent_id}"
    if one.feedback and one.because != one.feedback:
        yield f"{one.feedback} {clock(one.feedback_time)}"


def _sums(records: list[Disclosure]) -> str:
    fates = Counter(one.fate for one in records)
    events = len({one.event_id for one in records})
    sums = ", ".join(f"{number} {fate}" for fate, number in sorted(fates.items()))
    return f"{count(events, 'event')}: {sums}"
