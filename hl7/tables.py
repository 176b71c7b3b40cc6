"""Standard tables of HL7 v2 that the code uses. A sender's own tables are in environments/senders/."""

from enum import StrEnum
from types import MappingProxyType


class ProcessingId(StrEnum):
    """Table 0103, MSH-11.1."""

    PRODUCTION = "P"
    TRAINING = "T"
    DEBUGGING = "D"


class AcknowledgementCode(StrEnum):
    """Table 0008, MSA-1: original mode (A) and the commit level of enhanced mode (C)."""

    APPLICATION_ACCEPT = "AA"
    APPLICATION_ERROR = "AE"
    APPLICATION_REJECT = "AR"
    COMMIT_ACCEPT = "CA"
    COMMIT_ERROR = "CE"
    COMMIT_REJECT = "CR"


class AcknowledgementCondition(StrEnum):
    """Table 0155, MSH-15 and MSH-16: when an acknowledgement is wanted."""

    ALWAYS = "AL"
    NEVER = "NE"
    ON_ERROR = "ER"
    ON_SUCCESS = "SU"


MESSAGE_ERRORS = MappingProxyType(
    {
        100: "Segment sequence error",
        101: "Required field missing",
        102: "Data type error",
        103: "Table value not found",
        200: "Unsupported message type",
        201: "Unsupported event code",
        202: "Unsupported processing id",
        203: "Unsupported version id",
        204: "Unknown key identifier",
        205: "Duplicate key identifier",
        206: "Application record locked",
        207: "Application internal error",
    }
)
"""Table 0357, ERR-3: code to text."""

ADT_TRIGGER_EVENTS = frozenset(f"A{number:02}" for number in range(1, 63))
"""Table 0003, as far as chapter 3 (patient administration) uses it: A01 to A62."""

CHARACTER_SETS = MappingProxyType(
    {
        "ASCII": "ascii",
        **{f"8859/{part}": f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)},
        "ISO IR6": "ascii",
        "ISO IR13": "iso2022_jp_ext",
        "ISO IR14": "iso2022_jp_ext",
        "ISO IR87": "iso2022_jp_ext",
        "ISO IR159": "iso2022_jp_ext",
        "GB 18030-2000": "gb18030",
        "KS X 1001": "euc_kr",
        "BIG-5": "big5",
        "UNICODE": "utf-8",
        "UNICODE UTF-8": "utf-8",
        "UNICODE UTF-16": "utf-16",
        "UNICODE UTF-32": "utf-32",
    }
)
"""Table 0211, MSH-18, to Python's codec. CNS 11643-1992 is left out: Python has no codec for it."""

INFORMAL_CHARACTER_SETS = MappingProxyType(
    {
        "UTF-8": "utf-8",
        "UTF8": "utf-8",
        "WINDOWS-1252": "cp1252",
        "CP1252": "cp1252",
    }
)
"""Names outside table 0211 that senders write into MSH-18."""
