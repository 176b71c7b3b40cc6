"""Take the JSON of a request or an answer as it is where the service's model changes nothing in it.

botocore copies each value by its shape, to convert times, bytes and renamed members. That takes a tenth of
a call to DynamoDB, of whose values only bytes differ from their JSON. Bytes still go through the shapes,
and so does an answer with a null, which botocore leaves out at every level.
"""

import re
from collections.abc import Iterator
from typing import Any

from botocore.model import Shape
from botocore.parsers import JSONParser
from botocore.serialize import JSONSerializer

from local.patches.patching import replace

PLAIN = frozenset({"structure", "list", "map", "string", "integer", "long", "boolean"})
"""Types of shapes whose values are the same in Python and in JSON."""

NUMBERS = frozenset({"double", "float"})
"""Types that are read as they are, and written by rules of their own."""

ATTRIBUTE = frozenset({"AttributeValue"})
"""DynamoDB's attribute value, of which bytes alone are converted."""

BYTES_OR_NULL = re.compile(rb'"BS?"\s*:|[:,\[]\s*null')
"""The types of bytes in an attribute value of DynamoDB (`B`, `BS`), and JSON's null.

Text that holds such a null goes through the shapes too; DynamoDB's type of a null is `NULL`.
"""

_handle_json_body = JSONParser._handle_json_body
_serialize_structure = JSONSerializer._serialize_type_structure
_STORED = "types_that_are_converted"


def install() -> None:
    """Changes the JSON protocol of this process's botocore; calling it again changes nothing."""
    replace(JSONParser, "_handle_json_body", _parsed)
    replace(JSONSerializer, "_serialize_type_structure", _serialized)


def _parsed(parser: JSONParser, raw_body: bytes, shape: Shape) -> Any:
    if not _converted(shape) - NUMBERS <= ATTRIBUTE or BYTES_OR_NULL.search(raw_body):
        return _handle_json_body(parser, raw_body, shape)
    document = parser._parse_body_as_json(raw_body)
    return {name: document[name] for name in shape.members if name in document}


def _serialized(
    serializer: JSONSerializer, serialized: dict[str, Any], value: Any, shape: Shape, key: Any
) -> None:
    """Puts the members of `value` into `serialized`. Only a request's own structure has no `key`."""
    if key is None and _converted(shape) <= ATTRIBUTE and _is_json(value):
        serialized.update(value)
    else:
        _serialize_structure(serializer, serialized, value, shape, key)


def _is_json(value: Any) -> bool:
    if type(value) is dict:
        return all(map(_is_json, value.values()))
    if type(value) is list:
        return all(map(_is_json, value))
    return isinstance(value, str | int | bool)


def _converted(shape: Shape) -> frozenset[str]:
    """The types within a shape that botocore converts.

    Among them `renamed` for a member with another name in JSON, and `AttributeValue` for DynamoDB's.
    """
    if _STORED not in shape.__dict__:
        shape.__dict__[_STORED] = frozenset(_types(shape, set())) - PLAIN
    found: frozenset[str] = shape.__dict__[_STORED]
    return found


def _types(shape: Shape, seen: set[str]) -> Iterator[str]:
    if shape.name in seen:
        return
    seen.add(shape.name)
    if shape.name in ATTRIBUTE:
        yield shape.name
        return
    yield "document" if getattr(shape, "is_document_type", False) else shape.type_name
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            if member.serialization.get("name", name) != name:
                yield "renamed"
            yield from _types(member, seen)
    elif shape.type_name == "list":
        yield from _types(shape.member, seen)
    elif shape.type_name == "map":
        yield from _types(shape.key, seen)
        yield from _types(shape.value, seen)
