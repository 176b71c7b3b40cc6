"""Compiles a condition, filter or key condition to a function, once for each text.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from local.patches.speed.dynamodb.direct.tokens import ExpressionTokens
from local.patches.speed.dynamodb.direct.values import Evaluation, UnusualCallError, Value, scalar

Test = Callable[[Evaluation], bool]
Operand = Callable[[Evaluation], Value | None]

COMPARATORS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison of a key condition: the attribute's name or placeholder, and the first value's."""

    name: str
    comparator: str
    value: str


@dataclass(frozen=True, slots=True)
class CompiledCondition:
    """`test` says whether an item meets the condition. `comparisons` is empty unless all are joined by AND."""

    test: Test
    names: frozenset[str]
    values: frozenset[str]
    comparisons: tuple[Comparison, ...]


@lru_cache(maxsize=1024)
def compile_condition(text: str) -> CompiledCondition | None:
    """The condition of this text; None for one that is left to moto."""
    comparisons: list[Comparison] = []
    try:
        words = ExpressionTokens(text)
        test = _either(words, comparisons)
        if words.peek():
            return None
    except UnusualCallError:
        return None
    joined = () if words.has("OR", "IN") else tuple(comparisons)
    return CompiledCondition(test, frozenset(words.names), frozenset(words.values), joined)


def _either(words: ExpressionTokens, found: list[Comparison]) -> Test:
    tests = [_all(words, found)]
    while words.takes("OR"):
        tests.append(_all(words, found))
    if len(tests) == 1:
        return tests[0]
    return lambda at: any(test(at) for test in tests)


def _all(words: ExpressionTokens, found: list[Comparison]) -> Test:
    tests = [_one(words, found)]
    while words.takes("AND"):
        tests.append(_one(words, found))
    if len(tests) == 1:
        return tests[0]
    return lambda at: all(test(at) for test in tests)


def _one(words: ExpressionTokens, found: list[Comparison]) -> Test:
    if words.takes("("):
        if words.peek() == "(":  # DynamoDB refuses redundant parentheses
            raise UnusualCallError
        inner = _either(words, found)
        words.expect(")")
        return inner
    if words.takes("ATTRIBUTE_EXISTS"):
        present = _argument(words)
        return lambda at: present(at) is not None
    if words.takes("ATTRIBUTE_NOT_EXISTS"):
        absent = _argument(words)
        return lambda at: absent(at) is None
    if words.takes("BEGINS_WITH"):
        return _begins_with(words, found)
    if words.peek() in ("NOT", "CONTAINS", "SIZE", "ATTRIBUTE_TYPE"):
        raise UnusualCallError
    return _comparison(words, found)


def _argument(words: ExpressionTokens) -> Operand:
    words.expect("(")
    operand = _path(words.name())
    words.expect(")")
    return operand


def _begins_with(words: ExpressionTokens, found: list[Comparison]) -> Test:
    words.expect("(")
    name = words.name()
    words.expect(",")
    prefix = words.value()
    words.expect(")")
    found.append(Comparison(name, "begins_with", prefix))
    attribute = _path(name)

    def test(at: Evaluation) -> bool:
        value = attribute(at)
        if "S" not in at.values[prefix]:
            raise UnusualCallError
        return value is not None and "S" in value and value["S"].startswith(at.values[prefix]["S"])

    return test


def _comparison(words: ExpressionTokens, found: list[Comparison]) -> Test:
    name = words.name()
    left = _path(name)
    comparator = words.take().upper()
    if comparator == "BETWEEN":
        low = words.value()
        words.expect("AND")
        high = words.value()
        found.append(Comparison(name, comparator, low))
        return _between(left, low, high)
    if comparator == "IN":
        return _among(left, words)
    if comparator not in COMPARATORS and comparator != "<>":
        raise UnusualCallError
    right = words.value()
    found.append(Comparison(name, comparator, right))
    if comparator == "<>":
        return lambda at: not _equal(left(at), at.values[right])
    compare = COMPARATORS[comparator]
    if comparator == "=":
        return lambda at: _equal(left(at), at.values[right])
    return lambda at: _ordered(compare, left(at), at.values[right])


def _between(left: Operand, low: str, high: str) -> Test:
    def test(at: Evaluation) -> bool:
        value = left(at)
        return _ordered(operator.ge, value, at.values[low]) and _ordered(
            operator.le, value, at.values[high]
        )

    return test


def _among(left: Operand, words: ExpressionTokens) -> Test:
    words.expect("(")
    listed = [words.value()]
    while words.takes(","):
        listed.append(words.value())
    words.expect(")")

    def test(at: Evaluation) -> bool:
        value = left(at)
        return any(_equal(value, at.values[each]) for each in listed)

    return test


def _path(word: str) -> Operand:
    return lambda at: at.attribute(word)


def _equal(value: Value | None, other: Value) -> bool:
    wanted = scalar(other)
    return value is not None and value.keys() == other.keys() and scalar(value) == wanted


def _ordered(compare: Callable[[Any, Any], bool], value: Value | None, other: Value) -> bool:
    kind, limit = scalar(other)
    if value is None:
        return False
    own_kind, content = scalar(value)
    if own_kind != kind or kind == "BOOL":
        raise UnusualCallError
    return compare(content, limit)
