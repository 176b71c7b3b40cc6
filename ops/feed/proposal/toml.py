"""Writes keys, values and tables of a TOML file (TOML v1.0.0). The standard library reads TOML alone."""

import json
import re
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def key(name: str) -> str:
    """A key: bare where that is allowed, else quoted."""
    return name if _BARE.fullmatch(name) else text(name)


def text(value: str) -> str:
    """A basic string. JSON escapes the same characters, DEL aside."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def value(given: Any) -> str:
    """A string, number, boolean, list or inline table."""
    match given:
        case bool() | int():
            return json.dumps(given)
        case dict():
            return "{ " + ", ".join(pair(name, one) for name, one in given.items()) + " }"
        case list() | tuple():
            return f"[{', '.join(value(one) for one in given)}]"
        case _:
            return text(str(given))


def pair(name: str, given: Any) -> str:
    """A key with its value."""
    return f"{key(name)} = {value(given)}"


def comment(line: str) -> str:
    """A comment of one line, or an empty line."""
    return f"# {line}" if line else ""
