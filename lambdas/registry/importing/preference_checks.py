"""The checks on a provider's own choices in providers.csv."""

import re
from collections.abc import Iterator, Mapping

from lambdas.common.clock import zone_named
from lambdas.common.contracts.message.event_kind import NOTIFIED
from lambdas.registry.importing.columns import values

PATIENT_CLASSES = ("B", "C", "E", "I", "N", "O", "OBS", "P", "R", "S", "U", "V")
"""HL7 table 0004 as ParseMessage reads it."""

LISTS = {"event_types": NOTIFIED, "patient_classes": PATIENT_CLASSES}
HOUR = r"(?:[01]\d|2[0-3]):[0-5]\d"
PEM = r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----"
SHAPES = {
    "digest_at": (re.compile(HOUR), "is not a time as HH:MM"),
    "quiet": (re.compile(f"{HOUR}-{HOUR}"), "is not two times as HH:MM-HH:MM"),
    "certificate": (re.compile(rf"{PEM}(?:\s+{PEM})*"), "is not a certificate as PEM"),
}


def preference_faults(row: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each faulty column with its fault, without the cell's text."""
    for column, known in LISTS.items():
        if not set(values(row[column])) <= set(known):
            yield column, f"holds what is none of {', '.join(known)}"
    for column, (shape, what) in SHAPES.items():
        if row[column] and not shape.fullmatch(row[column]):
            yield column, what
    if row["time_zone"] and zone_named(row["time_zone"]) is None:
        yield "time_zone", "is not a time zone's name"
    if bool(row["away_from"]) != bool(row["away_until"]) or row["away_from"] > row["away_until"]:
        yield "away_until", "is not a day on or after away_from"
    if row["detail"] == "smime" and not row["certificate"]:
        yield "certificate", "is empty, and detail is smime"
    if row["surrogate"] and row["surrogate"] == row["provider_id"]:
        yield "surrogate", "is the same provider"
