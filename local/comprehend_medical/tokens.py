"""A note as tokens with their offsets (code points, as the service counts them), and its sentences."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[^\w\s]|_")
_ABBREVIATIONS = frozenset({"dr", "mr", "mrs", "ms", "st", "vs", "pt", "hx", "approx", "no", "c"})
_ENDS = frozenset(".!?;")
_GOES_ON = frozenset(
    {
        ",",
        "/",
        "-",
        "a",
        "an",
        "and",
        "denies",
        "for",
        "in",
        "no",
        "of",
        "on",
        "or",
        "the",
        "to",
        "with",
    }
)
"""What cannot end a sentence: a line that ends so was wrapped."""


def word_set(text: str) -> frozenset[str]:
    """The words of a list that is written as a text."""
    return frozenset(text.split())


@dataclass(frozen=True, slots=True)
class Token:
    """A word or one sign; `form` is what lexicons compare: lower case, singular."""

    text: str
    begin: int
    end: int
    form: str

    @property
    def is_word(self) -> bool:
        """Whether it is a word or number rather than a sign."""
        return self.text[0].isalnum()


def form(word: str) -> str:
    """A word as lexicons compare it: lower case, no possessive, no plural s."""
    folded = word.lower().replace("’", "'").removesuffix("'s")
    if len(folded) > 3 and folded.endswith("s") and not folded.endswith(("ss", "us", "is")):
        return folded[:-1]
    return folded


def tokens(text: str) -> list[Token]:
    """The words and signs of a text in order."""
    return [
        Token(found[0], found.start(), found.end(), form(found[0]))
        for found in _TOKEN.finditer(text)
    ]


def sentences(text: str, found: Sequence[Token]) -> list[int]:
    """For each token the number of its sentence.

    A sentence ends behind `.`, `!`, `?` or `;` before a blank, and at an empty line or a line whose
    next begins with a capital: senders wrap sentences over lines, and write lists a line each.
    """
    numbers, current = [], 0
    for index in range(len(found)):
        numbers.append(current)
        if index + 1 < len(found) and _ends(text, found, index):
            current += 1
    return numbers


def _ends(text: str, found: Sequence[Token], index: int) -> bool:
    """Whether the sentence ends with the token at `index`, which is not the last."""
    token, following = found[index], found[index + 1]
    gap = text[token.end : following.begin]
    if "\n\n" in gap:
        return True
    if token.text in _ENDS and gap:
        abbreviated = index > 0 and found[index - 1].text.lower() in _ABBREVIATIONS
        return token.text != "." or not abbreviated
    open_line = token.text.lower() in _GOES_ON
    return "\n" in gap and not open_line and not following.text[0].islower()
