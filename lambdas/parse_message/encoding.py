"""The characters that give a message its structure, and the escape sequences that stand for them."""

import re
from dataclasses import dataclass
from functools import cached_property

from lambdas.common.errors import UnprocessableMessageError

STANDARD = "^~\\&"
TRUNCATION = "#"


@dataclass(frozen=True)
class Encoding:
    """MSH-1 and MSH-2 (HL7 2.9.2.1, 2.9.2.2), and the character set for `\\Xhh\\`."""

    field: str
    component: str
    repetition: str
    escape: str
    subcomponent: str
    charset: str

    def unescape(self, text: str) -> str:
        """The text with its escape sequences decoded (HL7 2.7); unknown ones stay as sent."""
        if not self.escape or self.escape not in text:
            return text
        return self._sequence.sub(self._decoded, text)

    @cached_property
    def _sequence(self) -> re.Pattern[str]:
        mark = re.escape(self.escape)
        known = r"(?P<letter>[FSTREPHN])|\.(?P<command>[a-z]{2})\s*(?P<count>[+-]?\d*)|X(?P<hex>(?:[0-9A-Fa-f]{2})+)"
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
            # Formatting of FT (HL7 2.7.6): br, sp and ce begin a line, the others only indent.
            lines = int(match["count"] or 1) if command == "sp" else 1
            return "\n" * min(max(lines, 1), 10) if command in ("br", "sp", "ce") else ""
        return bytes.fromhex(match["hex"]).decode(self.charset, errors="replace")


def encoding_of(header: str, charset: str, warnings: list[str]) -> Encoding:
    """The encoding that an MSH segment declares; repairs go to `warnings`.

    Raises `UnprocessableMessageError` when MSH-1 or MSH-2 cannot be meant.
    """
    field = header[3:4]
    if not field or field.isalnum() or field.isspace() or not field.isprintable():
        raise UnprocessableMessageError("MSH-1 is not a delimiter")
    characters = header[4:].split(field, 1)[0].strip()
    if "&amp;" in characters:
        warnings.append("MSH-2 was HTML-escaped")
        characters = characters.replace("&amp;", "&")
    if not characters:
        warnings.append("MSH-2 is empty; read with the usual delimiters")
        characters = STANDARD
    if len(characters) < len(STANDARD):
        warnings.append("MSH-2 is short; read with the usual delimiters for the rest")
        characters += STANDARD[len(characters) :]
    component, repetition, escape, subcomponent = list(characters[:4])
    chosen = {field, component, repetition, escape, subcomponent}
    if len(chosen) < 5 or any(c.isalnum() or c.isspace() for c in chosen):
        raise UnprocessableMessageError("MSH-2 does not name four different delimiters")
    return Encoding(field, component, repetition, escape, subcomponent, charset)
