"""Finds known words with one or two wrong letters: "propanolol" for propranolol."""

from collections.abc import Iterable, Iterator

MIN_LETTERS = 8
"""Minimum letters of a word: a similar shorter word is usually another word."""

LONG = 10
"""Minimum letters of a word for two errors."""


class Misspellings:
    """Known words, indexed by every spelling without one of their letters, or without two of a long word.

    Two words match if they share such a spelling (as in SymSpell). A search takes a few dictionary
    reads, not a comparison with every word.
    """

    def __init__(
        self, words: Iterable[str], shortest: int = MIN_LETTERS, twice: bool = False
    ) -> None:
        self._shortest = shortest
        self._once: dict[str, set[str]] = {}
        self._twice: dict[str, set[str]] = {}
        for word in words:
            if len(word) >= shortest:
                for spelling in _once(word):
                    self._once.setdefault(spelling, set()).add(word)
            if twice and len(word) >= LONG:
                for spelling in _twice(word):
                    self._twice.setdefault(spelling, set()).add(word)

    def meant(self, word: str, twice: bool = False) -> str | None:
        """Returns the only matching word, None if there is none or several. `twice` allows two errors."""
        if len(word) < self._shortest - 1 or not word.isalpha():
            return None
        return _only(self._once, _once(word), word, 1) or (
            _only(self._twice, _twice(word), word, 2) if twice and len(word) >= LONG - 2 else None
        )


def _only(known: dict[str, set[str]], spellings: set[str], word: str, most: int) -> str | None:
    near = set().union(*(known.get(spelling, ()) for spelling in spellings))
    near = {one for one in near if abs(len(one) - len(word)) <= most and one[0] == word[0]}
    return near.pop() if len(near) == 1 else None


def _once(word: str) -> set[str]:
    return {word, *_shorter(word)}


def _twice(word: str) -> set[str]:
    return {shorter for spelling in _once(word) for shorter in (spelling, *_shorter(spelling))}


def _shorter(word: str) -> Iterator[str]:
    for place in range(len(word)):
        yield word[:place] + word[place + 1 :]
