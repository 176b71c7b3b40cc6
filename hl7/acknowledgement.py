"""Writes and reads acknowledgements: MSH, MSA and, for a rejected message, ERR (HL7 v2.9, 2.9 and 2.15).

They are written with the sender's own delimiters, so that its fields are echoed byte for byte.
"""

import itertools
import re
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

from hl7 import charset
from hl7.delimiters import Delimiters
from hl7.header import STANDARD_LETTERHEAD, Header, Letterhead
from hl7.tables import MESSAGE_ERRORS

APPLICATION = b"HL7-ENS"
ACCEPTED = frozenset({"AA", "CA"})

_COMMIT_CODES = {"AA": "CA", "AE": "CE", "AR": "CR"}
_CODE = re.compile(r"[A-Z][A-Z0-9]{2}")
# Four digits at most: int() refuses numbers of thousands of digits.
_VERSION = re.compile(rb"(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?(?!\d)")
_NEWEST = (99, 0, 0)
_MAX_TEXT_MESSAGE = 80
"""Length of MSA-3 (HL7 v2.6, 2.14.8.3)."""
# An echoed field must not end our own frame. All other bytes are echoed unchanged.
_FRAMING_BYTES = b"\x0b\x1c\r\n"
# The fields of MSH that are echoed: sender and receiver, MSH-11, MSH-12 and the character set.
_ECHOED = (3, 4, 5, 6, 11, 12, 18)


class ErrorDetail(Protocol):
    """The reason for which a message is not accepted."""

    @property
    def code(self) -> str:
        """MSA-1 in original mode."""

    @property
    def error(self) -> int:
        """A code of table 0357."""

    @property
    def location(self) -> tuple[str, ...]:
        """ERR-2, from the segment on."""

    @property
    def text(self) -> str:
        """ERR-8."""


@dataclass(slots=True)  # not frozen: one is made for each message
class Acknowledgement:
    """The answer to one message. `message` is None where MSH-15 and MSH-16 ask for none."""

    code: str
    message: bytes | None = field(repr=False)


def acknowledge(
    header: Header | None, problem: ErrorDetail | None = None, control_id: bytes = b""
) -> Acknowledgement:
    """Returns the acknowledgement of a message: accepted when `problem` is None, else for that problem.

    Without a header, or with one that is too long to echo, it is a generic one with an empty MSA-2.
    `control_id` is our MSH-10; a new one is made when it is empty. A message that was transcoded is
    answered in its own character set.
    """
    if header and header.is_too_long:
        header = None
    letterhead = header.letterhead if header else STANDARD_LETTERHEAD
    code, wanted = _mode(letterhead, problem.code if problem else "AA")
    if not wanted:
        return Acknowledgement(code, None)
    ours = (_cached_answering if letterhead.cached else _answering)(letterhead)
    message = b"".join(
        (
            ours.before_time,
            _second(int(time.time())),
            ours.before_id,
            control_id or _control_id(),
            ours.after_id,
            code.encode(),
            letterhead.delimiters.field,
            _clean(header.control_id) if header else b"",
            _text_message(problem, letterhead.delimiters, ours.version) if problem else b"",
            b"\r",
        )
    )
    if problem:
        d = letterhead.delimiters
        message += d.field.join(_err(problem, d, ours.version)) + b"\r"
    if header and header.wide_codec:
        message = _clean_frame(message.decode().encode(header.wide_codec, errors="replace"))
    return Acknowledgement(code, message)


@dataclass(frozen=True, slots=True)
class _Answering:
    """The answer's MSH and the start of its MSA, without MSH-7, MSH-10 and MSA-1."""

    version: tuple[int, int, int]
    before_time: bytes
    before_id: bytes
    after_id: bytes


def _answering(letterhead: Letterhead) -> _Answering:
    d = letterhead.delimiters
    *sender, application, facility, processing_id, version_id, character_set = (
        _clean(letterhead.value(number)) for number in _ECHOED
    )
    version = _version(version_id)
    f = d.field
    # MSH-11 is echoed unchanged: a test message must not look live (HL7 v2.9, 2.9.2.2).
    last = [processing_id, version_id]
    if character_set:  # the echoed fields are written in it
        last += [b"", b"", b"", b"", b"", character_set]
    addressed = b"MSH", _encoding_characters(d), application or APPLICATION, facility, *sender, b""
    message_type = _message_type(letterhead.trigger_event, d, version)
    return _Answering(
        version,
        before_time=f.join(addressed),
        before_id=f.join((b"", b"", message_type, b"")),
        after_id=f.join((b"", *last)) + b"\rMSA" + f,
    )


_cached_answering = lru_cache(maxsize=1024)(_answering)


def _mode(letterhead: Letterhead, code: str) -> tuple[str, bool]:
    """Returns the code in the sender's acknowledgement mode, and whether it asks for this answer (HL7 2.9.1).

    Both MSH-15 and MSH-16 empty: original mode. MSH-15 asks for a commit acknowledgement (CA, CE, CR),
    MSH-16 for an application's. One answer is sent: the commit one where it is asked for, else the
    application's. A value that is not in table 0155 counts as a request for an answer.
    """
    commit = letterhead.accept_acknowledgement
    application = letterhead.application_acknowledgement
    if not commit and not application:
        return code, True
    if commit and _asked(commit, code):
        return _COMMIT_CODES[code], True
    if application:
        return code, _asked(application, code)
    return _COMMIT_CODES[code], False


def asks_for_rejections(letterhead: Letterhead) -> bool:
    """Whether a sender is told that its message was rejected, so that it can send it again."""
    return _mode(letterhead, "AR")[1]


def _asked(condition: bytes, code: str) -> bool:
    match condition:
        case b"NE":
            return False
        case b"ER":
            return code != "AA"
        case b"SU":
            return code == "AA"
        case _:
            return True


def _clean(value: bytes) -> bytes:
    return value.translate(None, _FRAMING_BYTES)


def _clean_frame(message: bytes) -> bytes:
    """The answer without the block characters, which a UTF-16 or ISO 2022 character may contain."""
    return message.translate(None, b"\x0b\x1c")


def _encoding_characters(d: Delimiters) -> bytes:
    """The sender's MSH-2, or its first four characters where it holds more than delimiters."""
    if re.fullmatch(rb"[!-/:-@\[-`{-~]{1,5}", d.encoding_characters):
        return d.encoding_characters
    return d.component + d.repetition + d.escape + d.subcomponent


def _message_type(trigger: str, d: Delimiters, version: tuple[int, int, int]) -> bytes:
    """MSH-9: `ACK`, since 2.2 with the trigger event, since 2.3.1 with the structure too."""
    if version < (2, 2, 0) or not _CODE.fullmatch(trigger):
        return b"ACK"
    parts = ["ACK", trigger] if version < (2, 3, 1) else ["ACK", trigger, "ACK"]
    return d.component.join(part.encode() for part in parts)


def _text_message(problem: ErrorDetail, d: Delimiters, version: tuple[int, int, int]) -> bytes:
    """MSA-3, the text that engines show; withdrawn as of 2.7 (HL7 v2.9, 2.14.8.3), so "" from there on."""
    if version != _NEWEST and version >= (2, 7, 0):
        return b""
    return d.field + _plain(problem.text.encode(), d)[:_MAX_TEXT_MESSAGE]


def _err(problem: ErrorDetail, d: Delimiters, version: tuple[int, int, int]) -> list[bytes]:
    """ERR since 2.5: location, code, severity, text for engineers and user. Before: ERR-1 alone (HL7 2.15.5).

    The same text stands in ERR-7 and ERR-8: engines show one or the other.
    """
    code, text = str(problem.error).encode(), MESSAGE_ERRORS[problem.error].encode()
    location = [part.encode() for part in problem.location]
    if version < (2, 5, 0):
        position = [*location, b"", b"", b""][:3]
        error = d.subcomponent.join((code, _plain(text, d), b"HL70357"))
        return [b"ERR", d.component.join([*position, error])]
    error = d.component.join((code, _plain(text, d), b"HL70357"))
    told = _plain(problem.text.encode(), d)
    return [b"ERR", b"", d.component.join(location), error, b"E", b"", b"", told, told]


def _plain(text: bytes, d: Delimiters) -> bytes:
    """Returns a text of this system without the sender's delimiters."""
    return text.translate(None, d.field + d.component + d.repetition + d.escape + d.subcomponent)


def _version(value: bytes) -> tuple[int, int, int]:
    """MSH-12 as numbers; the newest version when it is not readable."""
    found = _VERSION.match(value.strip())
    if not found:
        return _NEWEST
    major, minor, patch = found.groups(default=b"0")
    return int(major), int(minor), int(patch)


@lru_cache(maxsize=1)
def _second(moment: int) -> bytes:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y%m%d%H%M%S+0000").encode()


def _control_id() -> bytes:
    # MSH-10 holds 20 characters before 2.7. Ours start at a random number in each process and are counted up.
    return b"%b%08x" % (_PROCESS, next(_NUMBERS) & 0xFFFFFFFF)


_PROCESS = secrets.token_hex(6).encode()
_NUMBERS = itertools.count()


@dataclass(frozen=True, slots=True)
class ReceivedAcknowledgement:
    """The acknowledgement that a receiver sent: `code` is MSA-1, `text` says why it is not AA."""

    code: str
    text: str = ""
    control_id: bytes = field(default=b"", repr=False)

    @property
    def accepted(self) -> bool:
        """Whether the receiver accepted the message."""
        return self.code in ACCEPTED


def read_answer(message: bytes) -> ReceivedAcknowledgement:
    """The acknowledgement in a receiver's answer; its code is "" when the answer holds no MSA segment."""
    segments = [s for s in message.replace(b"\n", b"\r").split(b"\r") if s]
    separator = segments[0][3:4] if segments and segments[0].startswith(b"MSH") else b"|"
    fields = {s[:3]: s.split(separator or b"|") for s in reversed(segments)}
    msa, err = fields.get(b"MSA", []), fields.get(b"ERR", [])
    if not msa:
        return ReceivedAcknowledgement("", "the answer is not an HL7 acknowledgement")
    # ERR-3 is the error code, ERR-8 the text for the user, ERR-7 diagnostics; MSA-3 is the old way.
    error, position = " ".join(_at(err, 3).split("^")[:2]), _at(err, 2).replace("^", "-").strip("-")
    told = _at(err, 8) or _at(err, 7) or _at(msa, 3)
    where = ", ".join(part for part in (error, position) if part)
    text = f"{told} ({where})" if told and where else told or where
    return ReceivedAcknowledgement(_at(msa, 1), text, msa[2] if len(msa) > 2 else b"")


def _at(fields: list[bytes], number: int) -> str:
    """A field as printable text: a peer's bytes must not control the terminal."""
    raw = fields[number] if len(fields) > number else b""
    text = charset.decode(raw, "").text
    return "".join(c if c.isprintable() else "?" for c in text)
