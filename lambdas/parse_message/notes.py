"""The free text of a message, for the clinical step."""

import re

from lambdas.common.models import Note
from lambdas.parse_message.er7 import NULL, Message, Segment

TEXT_TYPES = frozenset({"FT", "ST", "TX"})
WITHDRAWN = frozenset({"D", "W"})
"""HL7 table 0085 in OBX-11: deleted, and posted as wrong (it was another patient's)."""

BASE64 = re.compile(r"[A-Za-z0-9+/\n]{200,}+={0,2}\s*", re.ASCII)


def notes(message: Message, warnings: list[str]) -> tuple[Note, ...]:
    """Every textual OBX-5 and NTE-3 in message order, repetitions as lines of one note."""
    found = []
    for segment in message.all("OBX", "NTE"):
        number = 5 if segment.name == "OBX" else 3
        place = f"{segment.name}[{segment.ordinal}]-{number}"
        if segment.name == "OBX" and not _is_text(segment, warnings):
            continue
        sent = segment.field(number)
        if BASE64.fullmatch(sent):
            warnings.append(f"{place} is not text but base64")
        elif text := _text(segment, sent):
            found.append(Note(field=place, text=text))
    return tuple(found)


def _is_text(obx: Segment, warnings: list[str]) -> bool:
    value_type = obx.part(2).strip().upper()
    if not value_type and obx.field(5):
        warnings.append(f"OBX[{obx.ordinal}]-2 is empty; its value was not read")
    if value_type in TEXT_TYPES and obx.part(11).upper() in WITHDRAWN:
        warnings.append(f"OBX[{obx.ordinal}]-11 withdraws the note; it was not read")
        return False
    return value_type in TEXT_TYPES


def _text(segment: Segment, sent: str) -> str:
    """The text as a reader would see it. A bare `^` or `&` in it is the writer's, not structure."""
    encoding = segment.encoding
    lines = sent.split(encoding.repetition)
    return "\n".join(encoding.unescape(line) for line in lines if line != NULL).strip()
