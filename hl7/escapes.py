"""Decodes and encodes escape sequences (HL7 v2.9, 2.7) for delimiters, other characters and formatting."""

import re
from functools import cached_property

from hl7.delimiters import STANDARD, Delimiters

TRUNCATION = "#"
MAX_LINES = 10
"""Most line breaks that one `.sp` sequence may produce."""

_CONTROLS = dict.fromkeys((*range(32), 127))


class Escapes:
    r"""Delimiters as characters, with decoding and encoding of their escape sequences.

    `codec` is the message's character set; the bytes of `\Xhh\` are decoded with it.
    """

    def __init__(self, delimiters: Delimiters, codec: str = "utf-8") -> None:
        self.codec = codec
        five = delimiters.as_text()
        self.field, self.component, self.repetition, self.escape, self.subcomponent = five

    def decode(self, text: str) -> str:
        """The text with its escape sequences decoded; unknown ones stay as sent."""
        if self.escape not in text:
            return text
        return self._sequence.sub(self._decoded, text)

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
            r"|X(?P<hex>(?:[0-9A-Fa-f]{2})+)"
        )
        return re.compile(f"{mark}(?:{known}){mark}")

    def _decoded(self, match: re.Match[str]) -> str:
        if letter := match["letter"]:
            return {
                "F": self.field,
                "S": self.component,
                "T": self.subcomponent,
                "R": self.repetition,
                "E": self.escape,
                "P": TRUNCATION,
            }.get(letter, "")  # \H\ and \N\ begin and end highlighting
        if command := match["command"]:
            # Formatting of FT (HL7 v2.9, 2.7.6): br, sp and ce begin a line, the others only indent.
            count = match["count"].strip("+-")
            lines = int(count) if command == "sp" and count else 1
            return "\n" * min(max(lines, 1), MAX_LINES) if command in ("br", "sp", "ce") else ""
        return bytes.fromhex(match["hex"]).decode(self.codec, errors="replace")


STANDARD_ESCAPES = Escapes(STANDARD)
"""`|^~\\&` in UTF-8: the form that this system writes."""
