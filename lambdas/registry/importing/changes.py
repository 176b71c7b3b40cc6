"""The effect of an import: a state for each row, and the changes of items. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from lambdas.registry.keys import At, Item, Key, at

Known = Mapping[At, Item]
"""The items of the registry that a plan needs, by key."""


class RowState(StrEnum):
    """The effect of a row: a new item, changed cells, the end of a record, or nothing."""

    NEW = "new"
    CHANGED = "changed"
    ENDED = "ended"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """The effect of one row. `place` is its file and line, `fields` are the columns that change."""

    file: str
    place: str
    state: RowState
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemChange:
    """The change of one item: attributes to set and to remove, and values to add to its sets."""

    key: Key
    values: Item = field(repr=False, default_factory=dict)
    added: dict[str, set[str]] = field(repr=False, default_factory=dict)
    removed: tuple[str, ...] = ()

    @property
    def item(self) -> Item:
        """The item that the change makes of nothing."""
        return {**self.key, **self.values, **self.added}


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """The effect of each row, and the changes of items; an item that stays as it is has none."""

    rows: tuple[PlannedRow, ...]
    changes: tuple[ItemChange, ...]


class ItemChanges:
    """Collects the changes of items that an import makes; `known` are the items before it."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._drafts: dict[At, ItemChange] = {}

    def all(self) -> Iterator[ItemChange]:
        """The changes that change something."""
        for key, draft in self._drafts.items():
            if key not in self._known or draft.values or draft.added or draft.removed:
                yield draft

    def set_values(self, key: Key, values: Item, owned: tuple[str, ...] = ()) -> None:
        """Sets the values that differ from the registry, and removes the attributes `owned` without a value."""
        stored, draft = self._known.get(at(key), {}), self._draft(key)
        differing = {n: value for n, value in values.items() if stored.get(n) != value}
        removed = tuple(name for name in owned if name in stored and name not in values)
        self._drafts[at(key)] = ItemChange(
            key, {**draft.values, **differing}, draft.added, (*draft.removed, *removed)
        )

    def add_to_set(self, key: Key, name: str, values: set[str]) -> None:
        """Adds values to a set of an item; DynamoDB knows no empty set."""
        draft = self._draft(key)
        new = (values | draft.added.get(name, set())) - self._known.get(at(key), {}).get(
            name, set()
        )
        if new:
            self._drafts[at(key)] = ItemChange(
                key, draft.values, {**draft.added, name: new}, draft.removed
            )

    def _draft(self, key: Key) -> ItemChange:
        return self._drafts.get(at(key)) or ItemChange(key)
