"""Fails on a module-level cache outside the context and on environment variables outside settings.

Reads every module with `ast`. docs/adr/0180-one-context-per-function.md says why.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CACHES = {"cache", "lru_cache"}

MAY_CACHE = {
    "hl7/acknowledgement.py": "pure: the answer's parts of a header",
    "hl7/charset.py": "pure: the codec of a character set's name",
    "hl7/header.py": "pure: parts of a header, from its bytes",
    "hl7/identity.py": "pure: whether a code has the form of an event",
    "hl7/segmentation.py": "pure: patterns, from the message's separator",
    "hl7/wrapping.py": "pure: the references of one message, gone with the call",
    "lambdas/delivery/letter/words/locale.py": "pure: a language's file, which is part of the package",
    "lambdas/parse_message/structure.py": "pure: hl7apy's table of a segment, which it packages",
    "ops/feed/checking/coded_fields.py": "pure: the private values of one message, gone with the call",
    "receiver/storage/aws_client/signature.py": "pure: a signing key, from the secret and the day",
}
"""Modules with a cache of a pure function: its values never differ between contexts or tests."""

READ_VARIABLES = {"settings.py"}
"""File names of the modules that may read environment variables."""


def modules(*folders: str) -> list[Path]:
    """Every module below these folders."""
    found = [file for folder in folders for file in sorted((ROOT / folder).rglob("*.py"))]
    assert found
    return found


def names_cache(node: ast.expr) -> bool:
    """Whether an expression names `functools.cache` or `lru_cache`, or calls it."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in CACHES
        case ast.Call(func=function):
            return names_cache(function)
    return False


def nodes(code: str, words: str) -> Iterator[ast.AST]:
    """The nodes of code that has one of these words; to parse every module takes seconds."""
    return ast.walk(ast.parse(code)) if re.search(words, code) else iter(())


def caches(code: str) -> Iterator[int]:
    """The lines of decorators and calls that make a cache, and of `global` statements."""
    for node in nodes(code, "cache|global"):
        if isinstance(node, ast.Global):
            yield node.lineno
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from (d.lineno for d in node.decorator_list if names_cache(d))
        if isinstance(node, ast.Call) and names_cache(node.func):
            yield node.lineno


def variables(code: str) -> Iterator[int]:
    """The lines that read or write environment variables."""
    for node in nodes(code, "environ|getenv|putenv"):
        match node:
            case ast.Attribute(value=ast.Name(id="os"), attr="environ" | "getenv" | "putenv"):
                yield node.lineno
            case ast.ImportFrom(module="os", names=names):
                if {name.name for name in names} & {"environ", "getenv", "putenv"}:
                    yield node.lineno


def test_no_module_keeps_a_cache_outside_the_context() -> None:
    found = {
        str(file.relative_to(ROOT))
        for file in modules("lambdas", "receiver", "ops", "hl7")
        if any(caches(file.read_text("utf-8")))
    }
    assert found == set(MAY_CACHE)


def test_environment_variables_are_read_by_settings_alone() -> None:
    found = [
        f"{file.relative_to(ROOT)}:{line}"
        for file in modules("lambdas", "receiver", "ops", "hl7", "simulators")
        if file.name not in READ_VARIABLES
        for line in variables(file.read_text("utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "@cache\ndef f(): ...",
        "@functools.lru_cache(maxsize=8)\ndef f(): ...",
        "f = lru_cache(maxsize=8)(g)",
        "def f():\n    global made\n    made = 1",
    ],
)
def test_each_way_to_keep_a_cache_is_seen(code: str) -> None:
    assert list(caches(code))


@pytest.mark.parametrize(
    "code", ["import os\nos.environ['X']", "os.getenv('X')", "from os import environ as e"]
)
def test_each_way_to_read_a_variable_is_seen(code: str) -> None:
    assert list(variables(code))
