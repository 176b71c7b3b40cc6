"""Words that are one letter off a known one: "propanolol" for propranolol."""

from collections.abc import Iterable, Iterator

SHORTEST = 8
"""Letters below which a neighbour is more often another word than a misspelling."""


class Misspellings:
    """Known words by every spelling that lacks one of their letters.

    Two words are one letter off each other when they meet in such a spelling (the idea of SymSpell),
    so a look-up costs a few dictionary reads instead of a comparison with every known word.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self._by_spelling: dict[str, set[str]] = {}
        for word in words:
            if len(word) >= SHORTEST:
                for spelling in (word, *_shorter(word)):
                    self._by_spelling.setdefault(spelling, set()).add(word)

    def meant(self, word: str) -> str | None:
        """The one known word that is one letter off; None when there is none, or several."""
        if len(word) < SHORTEST - 1 or not word.isalpha():
            return None
        near = set(self._by_spelling.get(word, ()))
        for spelling in _shorter(word):
            near |= self._by_spelling.get(spelling, set())
        near = {known for known in near if abs(len(known) - len(word)) <= 1}
        return near.pop() if len(near) == 1 else None


def _shorter(word: str) -> Iterator[str]:
    """The word without each of its letters in turn."""
    for place in range(len(word)):
        yield word[:place] + word[place + 1 :]
