"""Compiles an update expression to a function, once for each text.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from local.patches.speed.dynamodb.direct.tokens import ExpressionTokens
from local.patches.speed.dynamodb.direct.values import (
    Attributes,
    Evaluation,
    UnusualCallError,
    Value,
    total,
)

Change = Callable[[Evaluation], Value | None]
"""Computes the new value of one attribute from the item before; None removes it."""


@dataclass(frozen=True, slots=True)
class CompiledUpdate:
    """The changes of an update expression, by the attribute's name or placeholder."""

    changes: tuple[tuple[str, Change], ...]
    names: frozenset[str]
    values: frozenset[str]

    def apply(self, at: Evaluation) -> Attributes:
        """A new item. Raises `UnusualCallError` for what moto may refuse."""
        after, changed = dict(at.item), set()
        for word, change in self.changes:
            name = at.name(word)
            if name in changed:
                raise UnusualCallError
            changed.add(name)
            value = change(at)
            if value is None:
                after.pop(name, None)
            else:
                after[name] = value
        return after


@lru_cache(maxsize=1024)
def compile_update(text: str) -> CompiledUpdate | None:
    """The update of this text; None for one that is left to moto."""
    clauses = {"SET": _set, "REMOVE": _remove, "ADD": _add}
    changes: list[tuple[str, Change]] = []
    try:
        words = ExpressionTokens(text)
        while words.peek():
            clause = clauses.pop(words.take().upper(), None)
            if clause is None:
                return None
            changes.append(clause(words))
            while words.takes(","):
                changes.append(clause(words))
    except UnusualCallError:
        return None
    if not changes:
        return None
    return CompiledUpdate(tuple(changes), frozenset(words.names), frozenset(words.values))


def _set(words: ExpressionTokens) -> tuple[str, Change]:
    name = words.name()
    words.expect("=")
    if not words.takes("IF_NOT_EXISTS"):
        placeholder = words.value()
        return name, lambda at: at.values[placeholder]
    words.expect("(")
    kept = words.name()
    words.expect(",")
    default = words.value()
    words.expect(")")
    return name, lambda at: at.attribute(kept) or at.values[default]


def _remove(words: ExpressionTokens) -> tuple[str, Change]:
    return words.name(), lambda _: None


def _add(words: ExpressionTokens) -> tuple[str, Change]:
    name, placeholder = words.name(), words.value()

    def change(at: Evaluation) -> Value:
        old, added = at.attribute(name), at.values[placeholder]
        if "N" in added:
            return total(old or {"N": "0"}, added)
        if "SS" not in added or (old is not None and "SS" not in old):
            raise UnusualCallError
        before = old["SS"] if old else []
        return {"SS": before + [text for text in added["SS"] if text not in before]}

    return name, change
