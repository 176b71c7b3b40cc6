"""A message's delimiters: MSH-1 and MSH-2 (HL7 v2.9, 2.5.4 and 2.14.9.1-2)."""

import string
from dataclasses import dataclass

from hl7.warnings import MessageWarning, WarningCode

PUNCTUATION = frozenset(bytes([character]) for character in string.punctuation.encode())
"""ASCII punctuation. A delimiter must be one of these, so that it is no letter, blank or framing byte."""


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The delimiters, one byte each, and MSH-2 as the sender wrote it."""

    field: bytes = b"|"
    component: bytes = b"^"
    repetition: bytes = b"~"
    escape: bytes = b"\\"
    subcomponent: bytes = b"&"
    encoding_characters: bytes = b"^~\\&"

    def as_text(self) -> tuple[str, str, str, str, str]:
        """Field, component, repetition, escape and subcomponent delimiter as characters."""
        five = (self.field, self.component, self.repetition, self.escape, self.subcomponent)
        field, component, repetition, escape, subcomponent = (one.decode("ascii") for one in five)
        return field, component, repetition, escape, subcomponent


STANDARD = Delimiters()


def read_delimiters(
    separator: bytes, encoding_characters: bytes
) -> tuple[Delimiters | None, tuple[MessageWarning, ...]]:
    r"""Returns the delimiters that MSH-1 and MSH-2 name, and the repairs that were needed to read them.

    Characters that are missing in MSH-2 are completed from `^~\&`. None when the five delimiters are
    not ASCII punctuation or not all different (docs/adr/0032-msh-2-tolerance.md).
    """
    repairs: list[MessageWarning] = []
    characters = encoding_characters.strip()
    if b"&amp;" in characters:
        repairs.append(MessageWarning(WarningCode.DELIMITERS_ESCAPED, "MSH-2"))
        characters = characters.replace(b"&amp;", b"&")
    standard = STANDARD.encoding_characters
    if not characters:
        repairs.append(MessageWarning(WarningCode.DELIMITERS_MISSING, "MSH-2"))
    elif len(characters) < len(standard):
        repairs.append(MessageWarning(WarningCode.DELIMITERS_INCOMPLETE, "MSH-2"))
    characters = characters[: len(standard)] + standard[len(characters) :]
    component, repetition, escape, subcomponent = (characters[n : n + 1] for n in range(4))
    five = {separator, component, repetition, escape, subcomponent}
    if len(five) < 5 or not five <= PUNCTUATION:
        return None, tuple(repairs)
    named = Delimiters(separator, component, repetition, escape, subcomponent, encoding_characters)
    return named, tuple(repairs)
