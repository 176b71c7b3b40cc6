"""Reads coded values with their system: the sender's table, the standard's, plain words, else unknown.

Rules: docs/adr/0202-codes-with-their-system.md. A code that is read by anything but the sender's own
table or the standard one is a warning; an unknown one is too, and never decides silently.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

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


def _words(*pairs: tuple[str, str]) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(rf"\b(?:{pattern})\b"), code) for pattern, code in pairs)


PATIENT_CLASSES = CodeTable(
    codes=frozenset({"B", "C", "E", "I", "N", "O", "OBS", "P", "R", "S", "U", "V"}),
    system="0004",
    others=MappingProxyType(
        # HL7 v3 ActCode, the classes of an encounter.
        {"EMER": "E", "IMP": "I", "ACUTE": "I", "NONAC": "I", "AMB": "O", "OBSENC": "OBS"}
        | {"PRENC": "P", "SS": "S", "VR": "O", "HH": "O", "FLD": "O"}
    ),
    words=_words(
        # The first class that fits decides: an observation is also an outpatient's.
        (
            "pre ?admi\\w*|pre ?reg\\w*|wait(?:ing)? ?list(?:ed)?|wl|booked|scheduled|planned|preop\\w*"
            "|vorstationar\\w*|warteliste|vorgemerkt|liste d attente|lista de espera|preingreso",
            "P",
        ),
        ("obs|obsv|observation\\w*|observacion|beobachtung", "OBS"),
        (
            "emerg\\w*|er|ed|emer|a ?(?:and|e) ?e|casualty|urgenc\\w*|urgences?|notfall\\w*|notaufnahme"
            "|trauma",
            "E",
        ),
        (
            "out ?p\\w*|ambulat\\w*|amb|ambulan\\w*|op|clinic|day ?(?:case|patient|surgery)|extern[eo]?s?"
            "|consult\\w*|nachstationar\\w*|office|virtual|tele\\w*",
            "O",
        ),
        (
            "in ?p(?:a\\w*|t)?|ip|inp|hospitali[sz]\\w*|hospitalizad[oa]|ingres\\w*|stationar\\w*|acute|admitted"
            "|vollstationar\\w*",
            "I",
        ),
        ("recur\\w*|recc?ur\\w*|series", "R"),
        ("obstet\\w*|maternity|newborn", "B"),
        ("short ?stay", "S"),
        ("commercial", "C"),
        ("not applicable", "N"),
        ("unknown", "U"),
    ),
)
"""HL7 table 0004, with codes that senders add: V and OBS observation, S short stay."""

ADMISSION_TYPES = CodeTable(
    codes=frozenset({"A", "C", "E", "L", "N", "R", "U"}),
    system="0007",
    words=_words(
        ("emerg\\w*|urgences?|urgencias?|notfall\\w*|trauma", "E"),
        ("urgent\\w*|dringend\\w*|dringlich\\w*", "U"),
        ("elective|geplant\\w*|programm\\w*|electiv[oa]|planned", "C"),
        ("routine|rutina", "R"),
        ("newborn|neonat\\w*|neugebor\\w*|nouveau ne|recien nacido", "N"),
        ("accident\\w*|unfall\\w*|accidente", "A"),
        ("labou?r|delivery|entbindung|accouchement|parto", "L"),
    ),
)
"""HL7 table 0007."""

SEXES = CodeTable(
    codes=frozenset({"A", "F", "M", "N", "O", "U"}),
    system="0001",
    others=MappingProxyType({"W": "F", "D": "O", "X": "O", "UN": "O", "UNK": "U", "UNDIFF": "O"}),
    words=_words(
        ("female|woman|girl|femme|feminin|feminine|femenin[oa]|mujer|weiblich|frau", "F"),
        ("male|man|boy|homme|masculin|masculine|masculin[oa]|hombre|varon|mannlich|herr", "M"),
        ("divers|non ?binary|other|autre|otro", "O"),
        ("unknown|inconnu|unbekannt|desconocido|undetermined|indetermine", "U"),
        ("ambiguous", "A"),
        ("not applicable", "N"),
    ),
)
"""HL7 table 0001."""

DIAGNOSIS_TYPES = CodeTable(
    codes=frozenset({"A", "F", "W"}),
    system="0052",
    words=_words(
        ("admi\\w*|aufnahme\\w*|ingreso", "A"),
        ("work\\w*|provisional|preliminary|verdacht\\w*|arbeits\\w*", "W"),
        ("final|principal|primary|discharge|entlass\\w*|definitiv\\w*", "F"),
    ),
)
"""HL7 table 0052."""

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
