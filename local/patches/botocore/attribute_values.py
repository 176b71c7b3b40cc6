"""Accept well-formed attribute values of a DynamoDB call by the types of their members.

botocore checks each value as a structure with ten optional members: a tenth of a call. Values that hold
bytes or are not well formed still go through its check, which reports what is wrong with them.
"""

from typing import Any

from botocore.validate import ParamValidator

from local.patches.patching import replace

SCALARS: dict[str, type] = {"S": str, "N": str, "BOOL": bool, "NULL": bool}

_validate_map = ParamValidator._validate_map


def install() -> None:
    """Changes the validation of this process's botocore; calling it again changes nothing."""
    replace(ParamValidator, "_validate_map", _checked)


def _checked(validator: ParamValidator, param: Any, shape: Any, errors: Any, name: str) -> None:
    """Reports the errors of a map, such as a key or an item."""
    if shape.value.name != "AttributeValue" or not _is_item(param):
        _validate_map(validator, param, shape, errors, name)


def _is_item(value: Any) -> bool:
    return type(value) is dict and all(
        _is_text(name) and _is_attribute_value(each) for name, each in value.items()
    )


def _is_attribute_value(value: Any) -> bool:
    if type(value) is not dict or len(value) != 1:
        return False
    ((kind, content),) = value.items()
    if kind in SCALARS:
        return type(content) is SCALARS[kind]
    if kind == "M":
        return _is_item(content)
    if type(content) is not list or kind not in ("L", "SS", "NS"):
        return False
    return all(map(_is_attribute_value if kind == "L" else _is_text, content))


def _is_text(value: Any) -> bool:
    return type(value) is str
