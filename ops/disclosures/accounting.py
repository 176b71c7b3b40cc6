"""An accounting of disclosures as Markdown, as a privacy office hands it out.

45 CFR 164.528(b)(2): for each disclosure the date, the name and, if known, the address of the recipient, a
brief description and a brief statement of the purpose. 164.528(b)(3): several disclosures to one recipient
for one purpose may be summed up by the first with all details, their number, and the date of the last. This
one lists each.
"""

import csv
from collections.abc import Iterable
from pathlib import Path

from ops.disclosures.audit_search import DisclosureAccount
from ops.disclosures.records import DISCLOSED, Disclosure, Fate
from ops.disclosures.subjects import Names
from ops.output import clock, count, markdown_cell, sentence_case, words
from ops.period import Period

with Path(__file__).with_name("purposes.csv").open(encoding="utf-8", newline="") as _table:
    PURPOSES = dict(csv.reader(_table))
"""The purpose of a notice by the recipient's relationship."""

OTHER_PURPOSE = (
    "Treatment and care coordination: a practitioner of the stay, in care of the patient"
)

HEAD = Path(__file__).with_name("accounting.md").read_text("utf-8")
"""The document's beginning."""


def markdown(
    account: DisclosureAccount, names: Names, *, patient: str, period: Period, prepared: str
) -> str:
    """Returns the document. `patient` is the identifier as it was asked for, `prepared` a moment."""
    told = [one for one in account.disclosures if one.fate in DISCLOSED]
    head = HEAD.format(
        patient=markdown_cell(patient),
        since=period.since,
        until=period.until,
        prepared=clock(prepared),
    )
    if not told:
        return f"{head}\nNo disclosure in this period.\n"
    rows = "\n".join(_rows(told, names))
    return (
        f"{head}\n{sentence_case(count(len(told), 'disclosure'))}.\n\n"
        "| Date (UTC) | Recipient and address | Description | Purpose |\n"
        "|---|---|---|---|\n"
        f"{rows}\n"
    )


def _rows(told: Iterable[Disclosure], names: Names) -> Iterable[str]:
    for one in told:
        known = names.get(one.recipient_ref)
        who = [known.name, known.npi and f"NPI {known.npi}", known.address] if known else []
        cells = (
            one.time[:10],
            ", ".join(filter(None, who)) or f"reference {one.recipient_ref}",
            _description(one),
            "; ".join(dict.fromkeys(PURPOSES.get(r, OTHER_PURPOSE) for r in one.relationships))
            or OTHER_PURPOSE,
        )
        yield f"| {' | '.join(map(markdown_cell, cells))} |"


def _description(one: Disclosure) -> str:
    kind = words(one.event_kind) or "hospital event"
    detail = {"minimal": "initials and institution only", "smime": "encrypted"}.get(one.detail, "")
    left_out = f"without {', '.join(words(part) for part in one.rule.left_out)}"
    endings = {
        Fate.RETURNED: "returned undelivered" if one.because != "complained" else "",
        Fate.UNKNOWN: "sending not confirmed",
    }
    parts = (
        f"Notice of {kind}, by e-mail (ref. {one.reference})",
        detail,
        left_out if one.rule.left_out else "",
        endings.get(one.fate, ""),
    )
    return "; ".join(filter(None, parts))
