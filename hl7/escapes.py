"""Decodes and encodes escape sequences (HL7 v2.9, 2.7) for delimiters, other characters and formatting."""

import re
from functools import cached_property

from hl7.charset import read_by
from hl7.delimiters import STANDARD, Delimiters

TRUNCATION = "#"
MAX_LINES = 10
"""Most line breaks that one `.sp` sequence may produce."""

MAX_BLANKS = 10
"""Most blanks that one `.sk` sequence may produce."""

_CONTROLS = dict.fromkeys((*range(32), 127))
_UNPRINTABLE = {
    **dict.fromkeys((*range(32), *range(127, 160))),
    **{ord(character): character for character in "\t\n"},
    0x0B: "\n",  # the soft line break of word processors
    0x0C: "\n",
    0x85: "\n",
}


def printable(text: str) -> str:
    """The text without control characters; line breaks of any kind are line feeds."""
    if text.isprintable():
        return text
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_UNPRINTABLE)


class Escapes:
    r"""Delimiters as characters, with decoding and encoding of their escape sequences.

    `codec` is the message's character set; the bytes of `\Xhh\` are decoded with it.
    """

    def __init__(self, delimiters: Delimiters, codec: str = "utf-8") -> None:
        self.codec = codec
        five = delimiters.as_text()
        self.field, self.component, self.repetition, self.escape, self.subcomponent = five

    def decode(self, text: str) -> str:
        """The text with its escape sequences decoded; unknown ones stay as sent. Without control characters."""
        if self.escape in text:
            decoded: dict[str, str] = {}  # a text repeats few sequences

            def once(match: re.Match[str]) -> str:
                sequence = match[0]
                if sequence not in decoded:
                    decoded[sequence] = self._decoded(match)
                return decoded[sequence]

            text = self._sequence.sub(once, text)
        return printable(text)

    def encode(self, text: str) -> str:
        """The text escaped for a subcomponent. Control characters are removed, because they end segments."""
        return text.translate(self._encoding)

    @cached_property
    def _encoding(self) -> dict[int, str | None]:
        letters = {
            self.field: "F",
            self.component: "S",
            self.repetition: "R",
            self.escape: "E",
            self.subcomponent: "T",
        }
        sequences = {ord(c): f"{self.escape}{n}{self.escape}" for c, n in letters.items()}
        return {**_CONTROLS, **sequences}

    @cached_property
    def _sequence(self) -> re.Pattern[str]:
        mark = re.escape(self.escape)
        # A count has four digits at most: int() refuses numbers of thousands of digits.
        known = (
            r"(?P<letter>[FSTREPHN])"
            r"|\.(?P<command>[a-z]{2})\s{0,4}(?P<count>[+-]?\d{0,4})"
            r"|X(?P<hex>[0-9A-F]*)"
            r"|[CM](?:[0-9A-F]{2}){2,3}"
        )
        return re.compile(f"{mark}(?:{known}){mark}", re.IGNORECASE | re.ASCII)

    def _decoded(self, match: re.Match[str]) -> str:
        if letter := match["letter"]:
            return {
                "F": self.field,
                "S": self.component,
                "T": self.subcomponent,
                "R": self.repetition,
                "E": self.escape,
                "P": TRUNCATION,
            }.get(letter.upper(), "")  # \H\ and \N\ begin and end highlighting
        if command := match["command"]:
            return _formatting(command.lower(), match["count"])
        # \C..\ and \M..\ switch the character set (2.7.2); the text is in that of MSH-18 here.
        return self._of_bytes(match["hex"] or "")

    def _of_bytes(self, digits: str) -> str:
        """The characters of a hexadecimal sequence: in the message's set, or UTF-16 if every other byte is 0."""
        code = bytes.fromhex("0" * (len(digits) % 2) + digits)
        if code and len(code) % 2 == 0 and not any(code[::2]):
            return code.decode("utf-16-be", errors="replace")
        return read_by(code, self.codec)


def _formatting(command: str, sent: str) -> str:
    """The text for a formatting command of FT (HL7 v2.9, 2.7.6): line breaks and blanks, within limits."""
    count = max(int(sent.strip("+-") or 1), 1)
    match command:
        case "br" | "ce":
            return "\n"
        case "sp":
            return "\n" * min(count, MAX_LINES)
        case "sk":
            return " " * min(count, MAX_BLANKS)
        case _:  # indentation and fill mode
            return ""


STANDARD_ESCAPES = Escapes(STANDARD)
"""`|^~\\&` in UTF-8: the form that this system writes."""
