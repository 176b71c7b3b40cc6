"""Reads coded values with their system: the sender's table, the standard's, plain words, else unknown.

Rules: docs/adr/0202-codes-with-their-system.md. A code that is read by anything but the sender's own
table or the standard one is a warning; an unknown one is too, and never decides silently.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from hl7.death import plain
from hl7.er7 import Value
from hl7.warnings import MessageWarning, WarningCode

OTHER = "other"
"""Stands for a code outside every table: a code of the message never enters the workflow's state."""


@dataclass(frozen=True, slots=True)
class CodeTable:
    """A standard table: its codes and names, codes of other standards, and plain words for its codes.

    `words` are patterns over text in small letters without accents, each with its code (`by_words`).
    """

    codes: frozenset[str]
    system: str
    words: tuple[tuple[re.Pattern[str], str], ...] = ()
    others: Mapping[str, str] = field(default_factory=dict)


_TABLES = tomllib.loads(Path(__file__).with_name("codes.toml").read_text("utf-8"))


def _table(name: str) -> CodeTable:
    table = _TABLES[name]
    return CodeTable(
        codes=frozenset(table["codes"]),
        system=table["system"],
        others=table.get("others", {}),
        words=tuple(
            (re.compile(rf"\b(?:{'|'.join(patterns)})\b"), code)
            for code, patterns in table["words"].items()
        ),
    )


PATIENT_CLASSES = _table("patient_classes")
ADMISSION_TYPES = _table("admission_types")
SEXES = _table("sexes")
DIAGNOSIS_TYPES = _table("diagnosis_types")

_OVERRULES = {"P", "OBS"}
"""Classes that their words decide also beside other words: an observation of an outpatient."""


def read_code(
    value: Value,
    table: CodeTable,
    own: Mapping[str, str],
    position: str,
    warnings: list[MessageWarning],
) -> str:
    """The code of `table` for a coded value; "" for an empty one, `OTHER` for one that is unknown.

    `own` is the sender's table, from its codes to those of `table`.
    """
    code, text = value.code(), value.part(2)
    if not code and not text.strip():
        return ""
    if mapped := own.get(code) or own.get(code.upper()) or own.get(text.strip()):
        return mapped
    found, warning = _by_standard(value, table)
    if warning:
        warnings.append(replace(warning, position=position))
    return found


def _by_standard(value: Value, table: CodeTable) -> tuple[str, MessageWarning | None]:
    """The code by tables and words, and a warning where it is not plainly that of the table."""
    code, said = value.code().upper(), by_words(value.part(2), table)
    if code in table.codes:
        if said and said != code and not _names(value.code(3), table):
            return said, MessageWarning(WarningCode.CODE_CONTRADICTED)
        return code, None
    other = table.others.get(code, "")
    if other and said in ("", other):
        return other, MessageWarning(WarningCode.CODE_OF_OTHER_TABLE, detail="HL7 v3")
    if found := said or by_words(code, table):
        return found, MessageWarning(WarningCode.CODE_IN_WORDS)
    return OTHER, MessageWarning(WarningCode.UNKNOWN_CODE)


def by_words(text: str, table: CodeTable) -> str:
    """The code that a text names in plain words; "" where it names none, or several."""
    words = plain(text[:200])
    found = list(dict.fromkeys(code for pattern, code in table.words if pattern.search(words)))
    if len(found) > 1 and found[0] not in _OVERRULES:
        # `Emergency outpatient` is an emergency; `Emergency inpatient` may be either.
        return "E" if set(found) == {"E", "O"} else ""
    return found[0] if found else ""


def _names(system: str, table: CodeTable) -> bool:
    """Whether CWE.3 names the table itself, as `HL70004` does."""
    return system.upper().replace(" ", "").removeprefix("HL7").removeprefix("TABLE") == table.system
