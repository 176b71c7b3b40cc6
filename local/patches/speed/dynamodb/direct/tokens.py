"""Splits the text of an expression into its words."""

import re
from dataclasses import dataclass, field

from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

from local.patches.speed.dynamodb.direct.values import UnusualCallError

WORD = re.compile(r"\s*(?:(<>|<=|>=|[<>=(),+-])|([#:]\w+|[A-Za-z_]\w*))")


@dataclass
class ExpressionTokens:
    """The words of an expression, read from the left; `names` and `values` collect the placeholders read."""

    text: str
    names: set[str] = field(default_factory=set)
    values: set[str] = field(default_factory=set)
    _words: list[str] = field(init=False)
    _next: int = 0

    def __post_init__(self) -> None:
        self._words, end, text = [], 0, self.text.rstrip()
        while end < len(text):
            found = WORD.match(text, end)
            if found is None:  # a path into a list or a map, or a fault
                raise UnusualCallError
            self._words.append(found[1] or found[2])
            end = found.end()

    def has(self, *words: str) -> bool:
        """Whether one of these is among all words, in upper case."""
        return any(word.upper() in words for word in self._words)

    def peek(self) -> str:
        """The next word in upper case; "" at the end."""
        return self._words[self._next].upper() if self._next < len(self._words) else ""

    def take(self) -> str:
        """The next word. Raises `UnusualCallError` at the end."""
        if self._next >= len(self._words):
            raise UnusualCallError
        self._next += 1
        return self._words[self._next - 1]

    def takes(self, *words: str) -> bool:
        """Whether the next word is one of these; it is taken then."""
        if self.peek() in words:
            self._next += 1
            return True
        return False

    def expect(self, word: str) -> None:
        """Takes this word. Raises `UnusualCallError` for another."""
        if not self.takes(word):
            raise UnusualCallError

    def name(self) -> str:
        """Takes an attribute's name or the placeholder of one."""
        word = self.take()
        if word.startswith("#"):
            self.names.add(word)
        elif not word[0].isalpha() or word.upper() in ReservedKeywords.get_reserved_keywords():
            raise UnusualCallError
        return word

    def value(self) -> str:
        """Takes the placeholder of a value."""
        word = self.take()
        if not word.startswith(":"):
            raise UnusualCallError
        self.values.add(word)
        return word
