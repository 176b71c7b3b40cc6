"""The keys of a table's items by the value of the attribute that an index begins with.

moto looks at every item of the table for each query of an index. The keys of an attribute are listed at
its first query and kept current by the calls that are answered here. Where moto itself answers a call that
may write, every list is dropped.
"""

from collections.abc import Iterable
from typing import Any, TypeGuard

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import Table

from local.patches.speed.dynamodb.direct.items import attributes_of
from local.patches.speed.dynamodb.direct.tables import Key, keyed_items
from local.patches.speed.dynamodb.direct.values import Attributes, Value

_Groups = dict[tuple[str, Any], dict[Key, None]]
_STORED = "keys_by_attribute"


def keys_with(table: Table, name: str, value: Value) -> Iterable[Key]:
    """The keys of the items whose attribute `name` has this value."""
    lists: dict[str, _Groups] = table.__dict__.setdefault(_STORED, {})
    if name not in lists:
        groups: _Groups = {}
        for key, item in keyed_items(table):
            _add(groups, key, attributes_of(item).get(name))
        lists[name] = groups
    return lists[name].get(_group(value), {})


def follow(table: Table, key: Key, before: Attributes | None, after: Attributes | None) -> None:
    """Keeps the lists current when an item changes; None stands for no item."""
    lists: dict[str, _Groups] = table.__dict__.get(_STORED, {})
    for name, groups in lists.items():
        old = before.get(name) if before else None
        if _is_listed(old):
            listed = groups.get(_group(old), {})
            assert key in listed, f"the list of {name} of {table.name} lacks an item"
            del listed[key]
        _add(groups, key, after.get(name) if after else None)


def forget() -> None:
    """Drops the lists of all tables."""
    for accounts in dynamodb_backends.values():
        for backend in accounts.values():
            for table in backend.tables.values():
                table.__dict__.pop(_STORED, None)


def _add(groups: _Groups, key: Key, value: Value | None) -> None:
    if _is_listed(value):
        groups.setdefault(_group(value), {})[key] = None


def _is_listed(value: Value | None) -> TypeGuard[Value]:
    """Whether an index may hold the value: an attribute may have had any type before the index was made."""
    return value is not None and value.keys() <= {"S", "N"}


def _group(value: Value) -> tuple[str, Any]:
    ((kind, content),) = value.items()
    return kind, content
