"""Splits a note into tokens with offsets (code points, as the service counts), and into sentences."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from simulators.comprehend_medical.data_files import rows

_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[^\w\s]|_")
_BRITISH = re.compile(
    r"haem|anaem|aem(?=ia)|oedem|oesoph|rrhoea|pnoea|paed|gynae|leukaem|ischaem|caes|faec|foet|aeti"
)
_ABBREVIATIONS = frozenset({"dr", "mr", "mrs", "ms", "st", "vs", "pt", "approx", "c"})
_ENDS = frozenset(".!?;")


def word_set(text: str) -> frozenset[str]:
    """Returns the words of a list in a string."""
    return frozenset(text.split())


_GOES_ON = word_set(", / - a an and denies for in no of on or the to with")
"""Words that cannot end a sentence: a line that ends with one was wrapped."""


@dataclass(frozen=True, slots=True)
class Token:
    """A word or one sign; `form` is what lexicons compare: lower case, singular."""

    text: str
    begin: int
    end: int
    form: str

    @property
    def is_word(self) -> bool:
        """Whether it is a word or number, not a sign."""
        return self.text[0].isalnum()


@lru_cache(maxsize=65536)
def form(word: str) -> str:
    """Returns a word's compared form: lower case, American, written out, no possessive, no plural s."""
    folded = word.lower().replace("’", "'").removesuffix("'s")
    folded = _BRITISH.sub(lambda found: found[0].replace("ae", "e").replace("oe", "e"), folded)
    folded = folded.replace("tumour", "tumor")
    if len(folded) > 3 and folded.endswith("s") and not folded.endswith(("ss", "us", "is")):
        folded = folded[:-1]
    return _abbreviations().get(folded, folded)


@cache
def _abbreviations() -> dict[str, str]:
    return {row["short"]: row["long"] for row in rows("abbreviations.csv")}


def tokens(text: str) -> list[Token]:
    """Returns the words and signs of a text in order."""
    return [
        Token(found[0], found.start(), found.end(), form(found[0]))
        for found in _TOKEN.finditer(text)
    ]


def sentences(text: str, found: Sequence[Token]) -> list[int]:
    """Returns the number of each token's sentence.

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
        if token.text == "?" and (token.begin == 0 or text[token.begin - 1].isspace()):
            return False  # In "? CHF" the question mark belongs to the next word.
        if token.text != "." or index == 0:
            return True
        before = found[index - 1].text.lower()
        return before not in _ABBREVIATIONS and not (before == "no" and following.text.isdigit())
    open_line = token.text.lower() in _GOES_ON
    return "\n" in gap and not open_line and not following.text[0].islower()
