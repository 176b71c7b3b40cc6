"""Checks segments against hl7apy's tables of the declared version.

The result is warnings only; values come from hl7/er7.py. A warning names a departure from the version
(an invalid date, a component that CN lacks and XCN has, a withdrawn field), or a segment that the
version does not have. hl7apy's own parser makes an object of each element, which takes 14 ms for a
small message; its tables are walked here instead (docs/adr/0205-hl7apys-tables-not-its-parser.md).
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from hl7apy import load_library
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.factories import datatype_factory

from hl7.er7 import NULL, Message, Segment
from hl7.escapes import Escapes
from hl7.warnings import MessageWarning, WarningCode

CHECKED = ("EVN", "PID", "PD1", "ROL", "PV1", "PV2", "DG1")
MAX_ELEMENTS = 1000
"""Most elements checked in one message, whose number the sender chooses."""
MAX_ASKED = 100
"""Most values of one message that hl7apy judges, at up to 0.2 ms each. Further ones count as right."""

MAX_VALUE = 250
"""Longest value that hl7apy judges: its time with longer ones grows with the square of their length."""

WITHDRAWN = "WD"
_DAY = r"\d{4}(?:0[1-9]|1[0-2])(?:0[1-9]|1\d|2[0-8])"
_CLOCK = r"(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d(?:\.\d{1,4})?)?"
_PLAIN = {
    "NM": re.compile(r"[+-]?\d{1,9}(?:\.\d{1,9})?", re.ASCII),
    "SI": re.compile(r"\d{1,4}", re.ASCII),
    "DT": re.compile(_DAY, re.ASCII),
    "DTM": re.compile(rf"{_DAY}(?:{_CLOCK})?(?:[+-](?:0\d|1[01])[0-5]\d)?", re.ASCII),
}
"""Values of a type that need no closer look. For all others hl7apy decides."""
_CHECKED_TYPES = frozenset({*_PLAIN, "TM", "TN", "SNM"})


class _Field(NamedTuple):
    """A field's data type, and the types of the subcomponents of each of its components."""

    datatype: str
    components: tuple[tuple[str, ...], ...]


def departures(message: Message, version: str) -> list[MessageWarning]:
    """The departures of the message from its version, by position, each once."""
    found: list[MessageWarning] = []
    left = MAX_ELEMENTS
    budget = iter(range(MAX_ASKED))
    for segment in message.all(*CHECKED):
        left -= elements(segment)
        if left < 0:
            position = f"{segment.name}[{segment.ordinal}]"
            found.append(MessageWarning(WarningCode.TOO_LARGE_TO_CHECK, position))
            break
        found += _departures(segment, version, budget)
    return list(dict.fromkeys(found))


def elements(segment: Segment) -> int:
    """Upper bound of the elements of a segment."""
    escapes = segment.escapes
    delimiters = (escapes.field, escapes.component, escapes.repetition, escapes.subcomponent)
    return 1 + sum(segment.raw.count(delimiter) for delimiter in delimiters)


def _departures(segment: Segment, version: str, budget: Iterator[int]) -> list[MessageWarning]:
    try:
        return list(_of_segment(segment, version, budget))
    except Exception:
        # hl7apy raises ValueError, TypeError, AttributeError and others beside its own, with the
        # value in the text. None may fail the message, and their texts must not be kept.
        position = f"{segment.name}[{segment.ordinal}]"
        return [MessageWarning(WarningCode.NOT_OF_VERSION, position, version)]


def _of_segment(segment: Segment, version: str, budget: Iterator[int]) -> Iterator[MessageWarning]:
    name, escapes = segment.name, segment.escapes
    fields = _fields(name, version)
    for number, sent in enumerate(segment.raw.split(escapes.field)[1:], start=1):
        if not sent:
            continue
        field, position = fields.get(number), f"{name}-{number}"
        if field is None:
            yield MessageWarning(WarningCode.FIELD_UNDEFINED, name, version)
        elif field.datatype == WITHDRAWN:
            yield MessageWarning(WarningCode.FIELD_WITHDRAWN, position, version)
        else:
            for repetition in sent.split(escapes.repetition):
                for datatype, value in _leaves_of(repetition, field, escapes):
                    if datatype is None:
                        code = WarningCode.COMPONENT_UNDEFINED
                        yield MessageWarning(code, position, field.datatype)
                    elif not _is_of_type(value, datatype, version, budget):
                        yield MessageWarning(WarningCode.WRONG_DATA_TYPE, position, datatype)


def _leaves_of(sent: str, field: _Field, escapes: Escapes) -> Iterator[tuple[str | None, str]]:
    """The values of a repetition whose type can be wrong, each with it; None for an undefined component."""
    for number, component in enumerate(sent.split(escapes.component)):
        if not component:
            continue
        if number >= len(field.components):
            yield None, ""
            return
        types = field.components[number]
        leaves = component.split(escapes.subcomponent, len(types))
        for value, datatype in zip(leaves, types, strict=False):
            if datatype in _CHECKED_TYPES and value not in ("", NULL):
                yield datatype, value


def _is_of_type(value: str, datatype: str, version: str, budget: Iterator[int]) -> bool:
    plain = _PLAIN.get(datatype)
    if plain is not None and plain.fullmatch(value):
        return True
    if len(value) > MAX_VALUE:
        return False  # longer than any value of these types (HL7 2.A)
    if next(budget, None) is None:
        return True
    # Tolerant parsing keeps a value that does not fit its type as plain text (ST).
    kept = datatype_factory(datatype, value, version, VALIDATION_LEVEL.TOLERANT)
    return type(kept).__name__ == datatype


@lru_cache(maxsize=128)
def _fields(name: str, version: str) -> dict[int, _Field]:
    """The fields of a segment by number. Raises `KeyError` for a segment that the version does not have."""
    defined = load_library(version).SEGMENTS[name][1]
    return {int(field.rsplit("_", 1)[1]): _field(reference) for field, reference, *_ in defined}


def _field(reference: Any) -> _Field:
    if reference[0] == "leaf":
        return _Field(reference[2], ((reference[2],),))
    return _Field(reference[2], tuple(_leaves(component[1]) for component in reference[1]))


def _leaves(reference: Any) -> tuple[str, ...]:
    """The types of a component's subcomponents; its own where it has none."""
    if reference[0] == "leaf":
        return (reference[2],)
    return tuple("" if part[1][0] != "leaf" else part[1][2] for part in reference[1])
