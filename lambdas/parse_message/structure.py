"""Checks segments with hl7apy against the tables of the declared version.

The result is warnings only; values come from hl7/er7.py. A warning names a departure from the version
(an invalid date, a component that CN lacks and XCN has, a withdrawn field), or a segment that hl7apy
cannot parse.
"""

from collections.abc import Iterator
from typing import Any

from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_segment

from hl7.er7 import Message, Segment
from hl7.escapes import Escapes
from hl7.warnings import MessageWarning, WarningCode

CHECKED = ("EVN", "PID", "PD1", "ROL", "PV1", "PV2", "DG1")
MAX_ELEMENTS = 1000
"""Most elements checked in one message. hl7apy takes about 0.1 ms for each, and the sender chooses their number."""


def departures(message: Message, version: str) -> list[MessageWarning]:
    """The departures of the message from its version, by position, each once."""
    found: list[MessageWarning] = []
    left = MAX_ELEMENTS
    for segment in message.all(*CHECKED):
        left -= elements(segment)
        if left < 0:
            position = f"{segment.name}[{segment.ordinal}]"
            found.append(MessageWarning(WarningCode.TOO_LARGE_TO_CHECK, position))
            break
        found += _departures(segment, version)
    return list(dict.fromkeys(found))


def elements(segment: Segment) -> int:
    """Upper bound of the elements that hl7apy makes of a segment."""
    escapes = segment.escapes
    delimiters = (
        escapes.field,
        escapes.component,
        escapes.repetition,
        escapes.subcomponent,
    )
    return 1 + sum(segment.raw.count(delimiter) for delimiter in delimiters)


def _departures(segment: Segment, version: str) -> list[MessageWarning]:
    text = segment.name + segment.raw[3:]
    try:
        parsed = parse_segment(
            text, version, _encoding_chars(segment.escapes), VALIDATION_LEVEL.TOLERANT
        )
        return list(_of_segment(parsed, segment.name, version))
    except Exception:
        # hl7apy raises ValueError, TypeError, AttributeError and others beside its own, with the
        # value in the text. None may fail the message, and their texts must not be kept.
        position = f"{segment.name}[{segment.ordinal}]"
        return [MessageWarning(WarningCode.NOT_OF_VERSION, position, version)]


def _of_segment(parsed: Any, name: str, version: str) -> Iterator[MessageWarning]:
    for field in parsed.children:
        if field.name is None:
            yield MessageWarning(WarningCode.FIELD_UNDEFINED, name, version)
            continue
        position = field.name.replace("_", "-")
        if field.datatype is None:
            yield MessageWarning(WarningCode.FIELD_WITHDRAWN, position, version)
            continue
        for component in field.children:
            if component.name is None:
                yield MessageWarning(WarningCode.COMPONENT_UNDEFINED, position, field.datatype)
                continue
            for leaf in component.children:
                if leaf.value is not None and type(leaf.value).__name__ != leaf.datatype:
                    # Tolerant parsing keeps a value that does not fit its type as plain text (ST).
                    yield MessageWarning(WarningCode.WRONG_DATA_TYPE, position, leaf.datatype)


def _encoding_chars(escapes: Escapes) -> dict[str, str]:
    return {
        "SEGMENT": "\r",
        "GROUP": "\r",
        "FIELD": escapes.field,
        "COMPONENT": escapes.component,
        "REPETITION": escapes.repetition,
        "ESCAPE": escapes.escape,
        "SUBCOMPONENT": escapes.subcomponent,
    }
