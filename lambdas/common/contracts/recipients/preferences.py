"""The closed sets of a recipient's preferences."""

from enum import StrEnum


class DetailLevel(StrEnum):
    """The content of a mail: everything, the minimum, or everything in an encrypted mail (S/MIME)."""

    FULL = "full"
    MINIMAL = "minimal"
    SMIME = "smime"


class CostMode(StrEnum):
    """The part of the notes that is analysed, the richest first: all findings, coded ones, none."""

    FULL = "full"
    CODED = "coded"
    OFF = "off"
