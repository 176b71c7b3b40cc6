"""Look a member of an answer up in a dictionary directly.

moto tries up to twelve spellings of a member's name, and makes an object for each: half of the time that
an answer of DynamoDB takes. For a dictionary they depend on the member alone, so they are computed once.
"""

from typing import Any

from botocore.model import Shape
from moto.core.serialize import AttributePickerContext, ResponseSerializer, XFormedAttributePicker

from local.patches.patching import replace

Spellings = tuple[str, ...]

_get_value = ResponseSerializer.get_value
_STORED = "spellings_in_dictionaries"


def install() -> None:
    """Changes the serializers of this process's moto; calling it again changes nothing."""
    replace(ResponseSerializer, "get_value", _value)


def _value(serializer: ResponseSerializer, value: Any, key: str, shape: Shape) -> Any:
    picker = serializer._value_picker
    if (
        type(value) is not dict
        or type(picker) is not XFormedAttributePicker
        or picker.response_transformers
    ):
        return _get_value(serializer, value, key, shape)
    for spelling in _spellings(picker, key, shape):
        if spelling in value:
            return value[spelling]
    return None


def _spellings(picker: XFormedAttributePicker, key: str, shape: Shape) -> Spellings:
    """The names that moto tries, in its order; kept in the member's shape, which belongs to one parent."""
    stored: dict[str, Spellings] = shape.__dict__.setdefault(_STORED, {})
    if key not in stored:
        context = AttributePickerContext(obj={}, key=key, shape=shape)
        stored[key] = tuple(dict.fromkeys(picker.get_possible_keys(context)))
    return stored[key]
