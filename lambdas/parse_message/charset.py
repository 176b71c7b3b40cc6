"""From bytes to text: what MSH-18 declares, and what senders do instead."""

import re

UTF_8, WINDOWS_1252, LATIN_1 = "utf-8", "cp1252", "latin-1"

CHARSETS = {
    "ASCII": "ascii",
    "8859/1": LATIN_1,
    **{f"8859/{part}": f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 9, 15)},
    "UNICODE": UTF_8,
    "UNICODE UTF-8": UTF_8,
    "UTF-8": UTF_8,
    "UTF8": UTF_8,
    "UNICODE UTF-16": "utf-16",
    "GB 18030-2000": "gb18030",
    "BIG-5": "big5",
    "ISO IR87": "iso2022_jp",
    "WINDOWS-1252": WINDOWS_1252,
    "CP1252": WINDOWS_1252,
}
"""HL7 table 0211 as Python names them, and three names outside it that senders use."""

UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def decode(raw: bytes) -> tuple[str, str, list[str]]:
    """The message as text, the Python name of its character set, and what had to be repaired.

    Never fails: what MSH-18 (HL7 2.9.2.18) declares is tried first, then UTF-8, then
    Windows-1252, in which the few bytes it leaves open are read as ISO 8859-1.
    """
    if raw.startswith(UTF_16_MARKS):
        return raw.decode("utf-16", errors="replace"), "utf-16", []
    declared = _declared(raw)
    charset = CHARSETS.get(declared.upper(), "") if declared else "ascii"
    warnings = [] if charset else ["MSH-18 names a character set that is not known"]
    if charset == LATIN_1 and re.search(rb"[\x80-\x9f]", raw):
        # Where ISO 8859-1 has control characters, senders mean Windows-1252's quotes and dashes.
        warnings.append("MSH-18 says 8859/1; the message was read as Windows-1252")
        return windows_1252(raw), WINDOWS_1252, warnings
    if charset:
        try:
            return raw.decode(charset), charset, warnings
        except UnicodeError:
            if declared:
                warnings.append("the message is not in the character set of MSH-18")
    try:
        text = raw.decode(UTF_8)
    except UnicodeError:
        warnings.append("the message was read as Windows-1252")
        return windows_1252(raw), WINDOWS_1252, warnings
    warnings.append("the message was read as UTF-8")
    return text, UTF_8, warnings


def windows_1252(raw: bytes) -> str:
    """The bytes as Windows-1252, the few that it leaves open as ISO 8859-1; never fails."""
    try:
        return raw.decode(WINDOWS_1252)
    except UnicodeError:
        return "".join(
            bytes([byte]).decode(WINDOWS_1252, errors="ignore") or chr(byte) for byte in raw
        )


def _declared(raw: bytes) -> str:
    """MSH-18's first repetition, read before the character set is known: it is ASCII itself."""
    found = re.search(rb"MSH([^\r\n]*)", raw[:4096], re.IGNORECASE)
    if not found or not found[1]:
        return ""
    fields = found[1].split(found[1][:1])
    return re.split(r"[~^]", fields[17].decode(LATIN_1))[0].strip() if len(fields) > 17 else ""
