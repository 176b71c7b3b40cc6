"""Reads documents in OBX-5 of type ED, encapsulated data (HL7 2.A.24), with the standard library.

Only plain text, RTF and HTML are read; ExtractEntities converts the markup to text. The first bytes
decide the type, else the sender's declaration (docs/adr/0053-documents-by-their-first-bytes.md).
"""

import binascii
import re
from base64 import b64decode
from dataclasses import dataclass, field

from hl7 import charset
from hl7.er7 import Value
from lambdas.common.contracts.message.notes import Markup, Note, Skipped, SkippedReason

DOCUMENT_BYTES = 1_000_000
"""Default limit for the documents of one message together, in bytes."""

MAX_DOCUMENTS = 1_000
"""Most documents of one message. The first beyond it is recorded as skipped, for all further ones."""

SIGNATURES = (
    (b"{\\rtf", "rtf"),
    (b"%PDF", "pdf"),
    (b"\x89PNG", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"GIF8", "image"),
    (b"II*\x00", "image"),
    (b"MM\x00*", "image"),
    (b"PK\x03\x04", "other"),
    (b"<?xml", "other"),
    (b"<!doctype html", "html"),
    (b"<html", "html"),
)
"""First bytes of document types, in lower case; `other` are archives (DOCX too) and XML (CDA)."""

TEXTS = frozenset({"text", "tx", "ft", "plain", "txt"})
"""Type and subtype of plain text: HL7 tables 0191, 0834 and 0291, and variants that senders write."""

HTMLS = frozenset({"html", "htm", "xhtml", "xhtml+xml"})
DECLARED_TYPES = {"pdf": "pdf", "image": "image", "im": "image", "jpeg": "image", "tiff": "image"}
FORMS = frozenset(Markup)

_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a]")
# Character sets of the Encoding Standard alone: Python's other codecs (punycode) can take minutes.
_META_CHARSET = re.compile(
    rb"<meta[^>]{0,200}charset=[\"']?(utf-8|us-ascii|iso-8859-\d{1,2}|windows-125\d|koi8-[ru]"
    rb"|gb18030|gbk|big5|shift_jis|euc-jp|euc-kr)\b",
    re.IGNORECASE,
)


@dataclass
class Reader:
    """Reads documents until `left` bytes are used up; `charset` is the message's own."""

    charset: str
    left: int = DOCUMENT_BYTES
    skipped: list[Skipped] = field(default_factory=list)
    seen: int = 0

    def read(self, value: Value, place: str) -> Note | None:
        """The document of one repetition of an ED; None for one that is not read, which is recorded."""
        self.seen += 1
        if self.seen > MAX_DOCUMENTS:
            if self.seen == MAX_DOCUMENTS + 1:
                self.skipped.append(Skipped(place, SkippedReason.TOO_LARGE))
            return None
        parts = value.raw.split(value.escapes.component, 4)
        if len(parts) < 5 or not parts[4].strip(value.escapes.component):
            return None
        declared = [value.escapes.decode(part) for part in parts[1:3]]
        encoding = parts[3].strip().lower()
        sent = value.escapes.decode(parts[4])
        if encoding in ("", "a"):
            # Not encoded (table 0299): the text is already decoded.
            return self.taken(sent.encode(), "/".join(declared), place, "utf-8")
        return self.decoded(sent, "/".join(declared), place, encoding)

    def decoded(self, sent: str, declared: str, place: str, encoding: str) -> Note | None:
        """The document that is sent as base64, or as `hex`."""
        try:
            data = bytes.fromhex(sent) if encoding == "hex" else _base64(sent)
        except ValueError:
            self.skipped.append(Skipped(place, SkippedReason.DAMAGED))
            return None
        return self.taken(data, declared, place, self.charset)

    def taken(self, data: bytes, declared: str, place: str, message_charset: str) -> Note | None:
        """The document in these bytes as text or markup; None for any other, which is recorded."""
        form = _form(data, declared)
        if form not in FORMS:
            self.skipped.append(Skipped(place, SkippedReason(form)))
            return None
        if len(data) > self.left:
            self.skipped.append(Skipped(place, SkippedReason.TOO_LARGE))
            return None
        self.left -= len(data)
        text = _text(data, form, message_charset)
        return Note(place, text.replace("\r\n", "\n").replace("\r", "\n").strip(), Markup(form))


def _base64(sent: str) -> bytes:
    """Decodes base64; line breaks and missing padding are accepted. Raises `ValueError` for other text."""
    text = "".join(sent.split()).rstrip("=^")
    try:
        return b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise ValueError("not base64") from None


def _form(data: bytes, declared: str) -> str:
    head = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:64].lower()
    for signature, form in SIGNATURES:
        if head.startswith(signature.lower()):
            return form
    words = set(re.findall(r"[a-z+]+", declared.lower()))
    for word, document_type in DECLARED_TYPES.items():
        if word in words:
            return document_type
    if _BINARY.search(data[:4096]) and not charset.marked_codec(data):
        return "other"
    if words & HTMLS:
        return "html"
    return "text" if words <= TEXTS else "other"


def _text(data: bytes, form: str, message_charset: str) -> str:
    """The bytes as text: by their byte order mark, as UTF-8 if valid, else in the message's character set."""
    if marked := charset.marked_codec(data):
        return data.decode(marked, errors="replace")
    meta = _META_CHARSET.search(data[:2048]) if form == "html" else None
    for name in (meta[1].decode("ascii") if meta else "", "utf-8-sig", message_charset):
        try:
            return data.decode(name) if name else data.decode("ascii")
        except (LookupError, UnicodeError):
            continue
    return charset.windows_1252(data)
