"""Collects a message's free text for ExtractEntities: notes, comments and documents."""

import re

from hl7.er7 import NULL, Message, Segment, Value
from hl7.header import MAX_REPETITIONS
from hl7.segmentation import TEXTUAL
from hl7.warnings import MessageWarning, WarningCode
from lambdas.common.contracts.message.notes import Note, Skipped, SkippedReason
from lambdas.parse_message.segments.documents import DOCUMENT_BYTES, Reader

TEXT_TYPES = frozenset({"FT", "ST", "TX"})
READ_TYPES = TEXT_TYPES | {"ED", "RP"}
WITHDRAWN = frozenset({"D", "W"})
"""HL7 table 0085 in OBX-11: deleted, and posted as wrong (it was another patient's)."""

BASE64 = re.compile(r"(?=[A-Za-z0-9+/]{60})[A-Za-z0-9+/\n]{200,}+={0,2}\s*", re.ASCII)
"""Sixty characters without a blank are not prose: they look like base64, whose lines have 64 or 76."""


def notes(
    message: Message, warnings: list[MessageWarning], document_bytes: int = DOCUMENT_BYTES
) -> tuple[tuple[Note, ...], tuple[Skipped, ...]]:
    """The texts in OBX-5 and NTE-3 in message order, and the documents that were not read.

    Repetitions of a text are lines of one note; each document is a note of its own. The comments behind an
    observation (NTE) are withdrawn with it.
    """
    found: list[Note] = []
    reader = Reader(message.escapes.codec, document_bytes)
    withdrawn = False
    for segment in message.segments:
        if segment.name != "NTE":
            withdrawn = segment.name == "OBX" and segment.code(11).upper() in WITHDRAWN
        if segment.name not in TEXTUAL or (segment.name == "NTE" and withdrawn):
            continue
        value_type = "FT" if segment.name == "NTE" else _type(segment, warnings)
        if value_type == "RP":
            reader.skipped.append(Skipped(segment.position(5), SkippedReason.POINTER))
        elif value_type == "ED":
            found += _documents(segment, reader)
        elif value_type in TEXT_TYPES:
            found += _texts(segment, reader)
    return tuple(found), tuple(reader.skipped)


def _type(obx: Segment, warnings: list[MessageWarning]) -> str:
    """OBX-2 when the segment's value is to be read, else ""."""
    value_type = obx.code(2).upper()
    if not value_type and obx.field(5):
        warnings.append(MessageWarning(WarningCode.VALUE_TYPE_MISSING, obx.position(2)))
    if value_type in READ_TYPES and obx.code(11).upper() in WITHDRAWN:
        warnings.append(MessageWarning(WarningCode.NOTE_WITHDRAWN, obx.position(11)))
        return ""
    return value_type if obx.field(5).strip() not in ("", NULL) else ""


def _documents(obx: Segment, reader: Reader) -> list[Note]:
    sent = obx.field(5).split(obx.escapes.repetition)[:MAX_REPETITIONS]
    values = [Value(raw, obx.escapes) for raw in sent if raw and raw != NULL]
    place = obx.position(5)
    places = [f"{place}[{n}]" for n in range(1, len(values) + 1)] if len(values) > 1 else [place]
    read = (reader.read(value, at) for value, at in zip(values, places, strict=True))
    return [note for note in read if note and note.text]


def _texts(segment: Segment, reader: Reader) -> list[Note]:
    number = 5 if segment.name == "OBX" else 3
    place, sent = segment.position(number), segment.field(number)
    if BASE64.fullmatch(sent):
        # A document in a text field: its first bytes decide its type.
        note = reader.decoded(sent, "", place, "base64")
    else:
        note = Note(place, _text(segment, sent))
    return [note] if note and note.text else []


def _text(segment: Segment, sent: str) -> str:
    """The text for a reader. An unescaped `^` or `&` in it counts as text, not as a delimiter."""
    escapes = segment.escapes
    lines = sent.split(escapes.repetition)
    return "\n".join(escapes.decode(line) for line in lines if line != NULL).strip()
