"""Checks a file's content against its JSON Schema. Each fault names file, key and the allowed values."""

import json
from collections.abc import Iterator
from functools import cache
from ipaddress import IPv4Network, ip_network
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jsonschema import Draft7Validator, FormatChecker, ValidationError

from environments.errors import EnvironmentFileError, shown

FORMATS = FormatChecker(formats=())


def _is_cidr(value: object) -> bool:
    return not isinstance(value, str) or bool(ip_network(value))


def _is_ipv4_cidr(value: object) -> bool:
    return not isinstance(value, str) or bool(IPv4Network(value))


def _is_time_zone(value: object) -> bool:
    try:
        return not isinstance(value, str) or bool(ZoneInfo(value))
    except (ValueError, OSError, LookupError):
        return False


FORMATS.checks("cidr", raises=ValueError)(_is_cidr)
FORMATS.checks("ipv4-cidr", raises=ValueError)(_is_ipv4_cidr)
FORMATS.checks("time-zone")(_is_time_zone)


def check(file: Path, content: dict[str, Any], schema: str) -> None:
    """Raises `EnvironmentFileError` with one line for each fault of the content."""
    faults = [
        f"{shown(file)}: {fault}"
        for error in sorted(_validator(schema).iter_errors(content), key=lambda e: e.json_path)
        for fault in _sentences(error)
    ]
    if faults:
        raise EnvironmentFileError("\n".join(faults))


@cache
def _validator(schema: str) -> Draft7Validator:
    document = json.loads((Path(__file__).parent / schema).read_text("utf-8"))
    return Draft7Validator(document, format_checker=FORMATS)


def _sentences(error: ValidationError) -> Iterator[str]:
    """The fault as `<key>: <fault>; allowed: <values>`."""
    key = _dotted(error.absolute_path)
    schema: dict[str, Any] = dict(error.schema)
    match error.validator:
        case "additionalProperties":
            allowed = ", ".join(schema["properties"])
            for unknown in sorted(set(error.instance) - set(schema["properties"])):
                yield f"{_dotted([*error.absolute_path, unknown])}: unknown key; allowed: {allowed}"
        case "required":
            missing = sorted(set(schema["required"]) - set(error.instance))
            # One error for each missing key: each names its own.
            name = next(k for k in missing if error.message.startswith(f"{k!r} "))
            yield f"{_dotted([*error.absolute_path, name])}: missing; it is required"
        case "enum":
            yield f"{key}: {error.instance!r}; allowed: {', '.join(map(repr, schema['enum']))}"
        case "pattern" | "format":
            yield f"{key}: {error.instance!r}; allowed: {schema['description']}"
        case "contains":
            yield f"{key}: allowed: a list with {schema['contains']['const']!r}"
        case _:
            yield f"{key}: {error.message}; allowed: {_limits(schema)}"


def _limits(schema: dict[str, Any]) -> str:
    """The type and limits of a value: `integer, minimum 1`."""
    limits = [
        f"{name} {schema[name]}"
        for name in ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")
        if name in schema
    ]
    kind = schema.get("type", "value")
    return ", ".join([kind if isinstance(kind, str) else " or ".join(kind), *limits])


def _dotted(path: Any) -> str:
    """A path into the document as TOML writes keys: `network.customer_gateways[0].ip`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text
