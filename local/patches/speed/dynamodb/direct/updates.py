"""Compiles an update expression to a function, once for each text.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from local.patches.speed.dynamodb.direct.tokens import ExpressionTokens
from local.patches.speed.dynamodb.direct.unusual import UnusualCallError
from local.patches.speed.dynamodb.direct.values import Attributes, Evaluation, Value, total

Operand = Callable[[Evaluation], Value]
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
    clauses = {"SET": _set, "REMOVE": _remove, "ADD": _add, "DELETE": _delete}
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
    first = _operand(words)
    if words.peek() in ("+", "-"):
        sign = 1 if words.take() == "+" else -1
        second = _operand(words)
        return name, lambda at: total(first(at), second(at), sign)
    return name, first


def _operand(words: ExpressionTokens) -> Operand:
    if words.peek().startswith(":"):
        placeholder = words.value()
        return lambda at: at.values[placeholder]
    if words.takes("IF_NOT_EXISTS"):
        words.expect("(")
        kept = words.name()
        words.expect(",")
        default = _operand(words)
        words.expect(")")
        return lambda at: default(at) if (value := at.attribute(kept)) is None else value
    if words.takes("LIST_APPEND"):
        words.expect("(")
        first = _operand(words)
        words.expect(",")
        second = _operand(words)
        words.expect(")")
        return lambda at: _appended(first(at), second(at))
    name = words.name()

    def present(at: Evaluation) -> Value:
        value = at.attribute(name)
        if value is None:
            raise UnusualCallError
        return value

    return present


def _appended(first: Value, second: Value) -> Value:
    if "L" not in first or "L" not in second:
        raise UnusualCallError
    return {"L": first["L"] + second["L"]}


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


def _delete(words: ExpressionTokens) -> tuple[str, Change]:
    name, placeholder = words.name(), words.value()

    def change(at: Evaluation) -> Value | None:
        old, removed = at.attribute(name), at.values[placeholder]
        if "SS" not in removed or (old is not None and "SS" not in old):
            raise UnusualCallError
        left = [text for text in old["SS"] if text not in removed["SS"]] if old else []
        return {"SS": left} if left else None

    return name, change
