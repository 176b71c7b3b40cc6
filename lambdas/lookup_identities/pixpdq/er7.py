"""ER7 as the queries and their answers need it: written with the standard delimiters, read with the sender's.

By hand and not with hl7apy: it declares QPD-3 and QPD-4 or QPD-8 of both IHE queries invalid children of
QPD, and costs half a second to load.
"""

import re
from dataclasses import dataclass, field

DELIMITERS = "^~\\&"
_ESCAPES = {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\"}


def escaped(text: str) -> str:
    """A value as it may stand in a field; control characters, which would end the segment, left out."""
    plain = (character for character in text if character >= " " and character != "\x7f")
    return "".join(_ESCAPES.get(character, character) for character in plain)


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment of an answer; every value comes with its escapes decoded."""

    raw: str = field(repr=False)
    delimiters: str = "|" + DELIMITERS

    @property
    def name(self) -> str:
        """The segment's name, like `PID`."""
        return self.raw[:3]

    def field(self, number: int) -> str:
        """A field as it was sent."""
        pieces = self.raw.split(self.delimiters[0])
        # MSH-1 is the separator itself.
        place = number - 1 if self.name == "MSH" else number
        return pieces[place] if place < len(pieces) else ""

    def repetitions(self, number: int) -> list[str]:
        """The repetitions of a field that hold anything, each as it was sent."""
        return [raw for raw in self.field(number).split(self.delimiters[2]) if raw]

    def part(self, number: int, component: int = 1, subcomponent: int = 1) -> str:
        """A subcomponent of a field's first repetition."""
        return self.of(self.field(number).split(self.delimiters[2])[0], component, subcomponent)

    def of(self, raw: str, component: int = 1, subcomponent: int = 1) -> str:
        """A subcomponent of a repetition."""
        components = raw.split(self.delimiters[1])
        if len(components) < component:
            return ""
        parts = components[component - 1].split(self.delimiters[4])
        return self._unescaped(parts[subcomponent - 1]) if len(parts) >= subcomponent else ""

    def _unescaped(self, text: str) -> str:
        if text == '""':
            return ""
        escape = self.delimiters[3]
        characters = dict(zip("FSRET", self.delimiters, strict=True))
        pattern = f"{re.escape(escape)}([FSRET]){re.escape(escape)}"
        return re.sub(pattern, lambda found: characters[found[1]], text)


def segments(raw: bytes) -> list[Segment]:
    """The segments of an answer. Raises `ValueError` when it does not begin with MSH and its delimiters."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    if not text.startswith("MSH") or len(text) < 8 or len(set(text[3:8])) < 5:
        raise ValueError("an answer that does not begin with MSH and five delimiters")
    lines = text.replace("\n", "\r").split("\r")
    return [Segment(line, text[3:8]) for line in lines if line]
