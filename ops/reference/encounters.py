"""Writes the tables of docs/encounters.md again, from the code that decides (`make reference`).

The page holds the prose. Each table stands between `<!-- table: NAME -->` and `<!-- end of table -->`.
"""

import csv
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from lambdas.common.contracts.encounters.encounter import DecisionReason, EncounterClass
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.track_encounter.notices import BEGIN_KINDS, NOTICES
from lambdas.track_encounter.profile import CLASSES, CLOSE_AFTER
from lambdas.track_encounter.triggers import EFFECTS, RULES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "encounters.md"
_TABLE = re.compile(r"(<!-- table: (\S+) -->)\n.*?(<!-- end of table -->)", re.DOTALL)

with Path(__file__).with_name("reasons.csv").open(encoding="utf-8", newline="") as _lines:
    REASONS = dict(csv.reader(_lines))
"""The meaning of each `DecisionReason`."""


def rendered(page: str) -> str:
    """The page with every table as the code has it. Raises `KeyError` for an unknown table."""
    return _TABLE.sub(lambda found: f"{found[1]}\n{_TABLES[found[2]]()}\n{found[3]}", page)


def trigger_events() -> str:
    """One row for each trigger event."""
    return _table(
        ("Event", "Name", "Effect on the encounter"),
        ((r.trigger_event, r.meaning, f"{EFFECTS[r.effect]} {r.note}".strip()) for r in RULES),
    )


def notices() -> str:
    """One row for each case in which somebody is told."""
    rows = ((str(n), r.case, r.notice, r.audience) for n, r in enumerate(NOTICES, start=1))
    return _table(("", "Case", "Notice", "To"), rows)


def classes() -> str:
    """One row for each class, with its codes and the notice of its begin."""
    return _table(
        ("Class", "PV1-2", "Told when it begins", "Closed without an end after"),
        (
            (
                one or "not given",
                ", ".join(f"`{code}`" for code, known in CLASSES.items() if known is one) or "else",
                _words(BEGIN_KINDS[one]) if one in BEGIN_KINDS else "nothing",
                f"{CLOSE_AFTER[one].days} days",
            )
            for one in EncounterClass
        ),
    )


def reasons() -> str:
    """One row for each reason."""
    return _table(("Reason", "Meaning"), ((f"`{r}`", REASONS[r]) for r in DecisionReason))


_TABLES = {
    "trigger-events": trigger_events,
    "notices": notices,
    "classes": classes,
    "reasons": reasons,
}


def _words(kind: EventKind) -> str:
    return kind.replace("_", " ").replace("ed ", "emergency ")


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> int:
    """Writes the page again."""
    PAGE.write_text(rendered(PAGE.read_text("utf-8")), "utf-8")
    print(f"{PAGE.relative_to(PAGE.parents[1])}: written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
