"""Reads items of the registry's table by their keys."""

from collections.abc import Iterable

from lambdas.common.aws.batch_read import read_items
from lambdas.common.context import Context
from lambdas.registry.items import At, Item, Key, at


def items_by_key(context: Context, table: str, keys: Iterable[Key]) -> dict[At, Item]:
    """The items by key, read consistently; a missing one is absent. Raises as `read_items`."""
    return {at(item): item for item in read_items(context, table, keys)}
