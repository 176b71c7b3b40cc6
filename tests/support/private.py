"""Every value of a message that could name somebody, read by splitting and nothing else."""

import re

# Segment -> fields that hold nothing private: codes, set ids, times of day that all events share.
PUBLIC = {
    "MSH": {1, 2, 5, 6, 7, 8, 9, 11, 12, 15, 16, 17, 18, 19, 21},
    "EVN": {1, 2, 6, 7},
    "PID": {1, 8},
    "PV1": {1, 2, 4, 10, 14, 36, 44, 45},
    "PV2": set(),
    "OBX": {1, 2, 3, 4, 6, 8, 11, 14},
    "NTE": {1, 2},
    "DG1": {1, 2, 5, 6},
    "NK1": {1, 3},
    "ROL": {1, 2, 3},
    "MRG": set(),
    "PD1": set(),
}
LEAST = 4
"""Shorter values ("F", "412") stand in ids and times by chance."""

CODES = {"HL70443", "Hospital", "ISO"}
"""Words of the standard that stand beside the values."""

SENDER = "northgen"
"""The sender's configured name, which may stand anywhere; what it sends in MSH-4 is in capitals."""


def private_values(message: bytes) -> set[str]:
    """The private values of a message, component by component, and the notes word group by word group."""
    found: set[str] = set()
    for segment in filter(None, message.decode("utf-8", "replace").split("\r")):
        fields = segment.split("|")
        first = 1 if fields[0] == "MSH" else 0
        for position, field in enumerate(fields[1:], start=1 + first):
            if position in PUBLIC.get(fields[0], set()):
                continue
            found.update(_parts(field))
    return found - CODES


def _parts(field: str) -> set[str]:
    """A field's components, and of running text each sentence."""
    components = re.split(r"[\^~&]|(?<=\.) ", field)
    return {part.strip() for part in components if len(part.strip()) >= LEAST and not _is_oid(part)}


def _is_oid(text: str) -> bool:
    return re.fullmatch(r"[\d.]+\.[\d.]+", text.strip()) is not None


def found_in(text: str, values: set[str]) -> set[str]:
    """The values that occur in a text as words of their own, whatever their case."""
    lowered = text.replace(SENDER, "").lower()
    return {
        value
        for value in values
        if value.lower() in lowered
        and re.search(rf"(?<![a-z0-9]){re.escape(value.lower())}(?![a-z0-9])", lowered)
    }


def without_digests(text: str) -> str:
    """The text without our hex digests, ids and Unix times, in which four digits stand by chance."""
    return re.sub(r"[0-9a-f-]{32,}|\b\d{10}(\d{3})?\b", "", text)
