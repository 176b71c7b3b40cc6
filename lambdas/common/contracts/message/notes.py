"""The free texts of a message, and the parts of them that were not read."""

from dataclasses import dataclass
from enum import StrEnum

from lambdas.common.contracts.document import private


class Markup(StrEnum):
    """The markup that a note's text is in."""

    TEXT = "text"
    RTF = "rtf"
    HTML = "html"


class SkippedReason(StrEnum):
    """The reason why a part of the notes was not read.

    pdf, image, other: a document of this type. pointer: a reference to a document (RP). damaged: it cannot
    be decoded. too_large, too_long: above the limit of bytes, of characters. language: not English.
    service, time: Comprehend Medical did not answer, or not in time.
    """

    PDF = "pdf"
    IMAGE = "image"
    OTHER = "other"
    POINTER = "pointer"
    DAMAGED = "damaged"
    TOO_LARGE = "too_large"
    TOO_LONG = "too_long"
    LANGUAGE = "language"
    SERVICE = "service"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Note:
    """Free text of the message and its field, like `OBX[1]-5` or `NTE[2]-3`."""

    field: str
    text: str = private()
    markup: Markup = Markup.TEXT


@dataclass(frozen=True, slots=True)
class Skipped:
    """A part of the notes that was not read: its field or operation, and the reason.

    `detail` is a code without patient data, such as the service's error or a language.
    """

    position: str
    reason: SkippedReason
    detail: str = ""
