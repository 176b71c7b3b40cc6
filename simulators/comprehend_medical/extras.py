"""Finds tests with values, procedures and treatments in a note, by a table and a pattern."""

import re
from dataclasses import dataclass
from functools import cache

from simulators.comprehend_medical.data_files import rows

_VALUE = re.compile(
    r"\s*(?:of|was|is|at|=|:|to|rose to|level)?\s*"
    r"(?P<value>[<>]?\d+(?:[./]\d+)*(?:\s*-\s*\d+(?:\.\d+)?)?|negative\b|positive\b|normal\b|elevated\b|pending\b|[1-4]\+)"
    r"(?:\s?(?P<unit>%|mg/dL|g/dL|ng/mL|pg/mL|mmol/L|mEq/L|mmHg|U/L|IU/L|bpm|kg|lbs?|cm|mm|°?[CF]\b|[Ll]iters?|mL|K/uL|sec))?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Extra:
    """An entity of a type between two offsets, with value and unit if it is a test."""

    type: str
    begin: int
    end: int
    value: tuple[int, int] | None = None
    unit: tuple[int, int] | None = None


def extras(text: str) -> list[Extra]:
    """Returns these entities in the order of the text. They may overlap conditions."""
    found: list[Extra] = []
    for match in _table().finditer(text):
        kind = _kinds()[" ".join(match[0].lower().split())]
        value = _VALUE.match(text, match.end()) if kind == "TEST_NAME" else None
        if len(match[0]) == 1 and not (value and value["value"][0].isdigit()):
            continue  # "K" alone is a letter, "K 7.1" a potassium.
        found.append(
            Extra(
                kind,
                *match.span(),
                value.span("value") if value else None,
                value.span("unit") if value and value["unit"] else None,
            )
        )
    return found


@cache
def _kinds() -> dict[str, str]:
    return {
        name.lower(): row["type"] for row in rows("tests.csv") for name in row["names"].split("|")
    }


@cache
def _table() -> re.Pattern[str]:
    """A pattern of all names: abbreviations with exact case, words with any case."""
    names = [name for row in rows("tests.csv") for name in row["names"].split("|")]
    names.sort(key=len, reverse=True)
    parts = [
        re.escape(name) if name != name.lower() else f"(?i:{re.escape(name)})" for name in names
    ]
    return re.compile(rf"(?<![\w/-])(?:{'|'.join(parts)})(?![\w])")
