"""Writes the tables of all settings into docs/configuration.md: `python -m environments.reference`.

Keys and descriptions come from the JSON Schemas, defaults from the dataclasses.
"""

import json
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

from environments.environment import Environment
from environments.policy import PolicyFile
from environments.sender import Sender

PAGE = Path(__file__).resolve().parents[1] / "docs" / "configuration.md"
BEGIN, END = "<!-- settings: begin -->\n", "<!-- settings: end -->\n"

SCHEMAS = (
    ("Keys of an environment", "environment.schema.json", Environment),
    ("Keys of a sender", "sender.schema.json", Sender),
    ("Keys of a policy", "policy.schema.json", PolicyFile),
)


def tables() -> str:
    """Returns one Markdown table for each schema: key, type, default, meaning."""
    return "\n".join(
        f"### {title}\n\n| Key | Value | Default | Meaning |\n|---|---|---|---|\n"
        + "".join(f"| {' | '.join(row)} |\n" for row in _rows(file, model))
        for title, file, model in SCHEMAS
    )


def with_tables(page: str) -> str:
    """Returns the page with the current tables between its two marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{tables()}\n{END}{after}"


def _rows(file: str, model: type) -> Iterator[tuple[str, str, str, str]]:
    schema = json.loads((Path(__file__).parent / file).read_text("utf-8"))
    yield from _keys("", schema, model, schema.get("definitions", {}))


def _keys(
    prefix: str, schema: dict[str, Any], model: type, definitions: dict[str, Any]
) -> Iterator[tuple[str, str, str, str]]:
    required = set(schema.get("required", ()))
    defaults = {one.name: one for one in fields(model)}
    for key, value in schema["properties"].items():
        shape = {**definitions.get(value.get("$ref", "").rpartition("/")[2], {}), **value}
        default = "required" if key in required else _default(defaults[key])
        yield f"`{prefix}{key}`", _type(shape), default, _meaning(shape)
        table = shape.get("items", shape)
        if "properties" in table:
            inner = _dataclass_of(get_type_hints(model)[key])
            yield from _keys(f"{prefix}{key}.", table, inner, definitions)


def _type(shape: dict[str, Any]) -> str:
    if "enum" in shape:
        return ", ".join(f"`{value}`" for value in shape["enum"])
    name: str = {"object": "table", "array": "list"}.get(shape["type"], shape["type"])
    low, high = shape.get("minimum"), shape.get("maximum")
    if high is not None:
        return f"{name}, {low} to {high}"
    return f"{name}, at least {low}" if low is not None else name


def _default(field: "Field[Any]") -> str:
    if field.default is not MISSING and field.default is not None:
        return f"`{json.dumps(field.default)}`"
    return "none"


def _meaning(shape: dict[str, Any]) -> str:
    text: str = shape.get("description") or shape.get("items", {}).get("description", "")
    text = text if text.startswith(("true:", "false:")) else text[:1].upper() + text[1:]
    return text.rstrip(".").replace("|", "\\|")


def _dataclass_of(hint: Any) -> type:
    """The dataclass in an annotation such as `tuple[CustomerGateway, ...]` or `Network | None`."""
    if is_dataclass(hint):
        return hint if isinstance(hint, type) else type(hint)
    return next(_dataclass_of(inner) for inner in get_args(hint) if inner not in (type(None), ...))


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text("utf-8")), "utf-8")
