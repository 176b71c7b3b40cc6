"""Reads table.json: the IAM actions that an API call needs, and what an action can be granted on.

The table comes from AWS's service authorization reference; infra/reference/build.py writes it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
TABLE = FOLDER / "table.json"
EXCEPTIONS = FOLDER / "exceptions.toml"


class UnknownCallError(LookupError):
    """Raised when the table lacks the call or the action: run `make reference`, or add an exception."""


@dataclass(frozen=True, slots=True)
class Need:
    """Actions that a call needs, if it has the parameter `when` ("" for otherwise)."""

    when: str
    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Action:
    """An IAM action: its access level, and the resource types and condition keys that it takes."""

    level: str
    resources: tuple[str, ...]
    conditions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """The whole table."""

    document: Mapping[str, Any]

    def service_signed(self, signing_name: str) -> str:
        """botocore's name of the service that signs its requests with this name; "" for none."""
        for service, names in self.document["services"].items():
            if names["signing_name"] == signing_name:
                return str(service)
        return ""

    def needs(self, service: str, operation: str) -> tuple[Need, ...]:
        """All entries of a call. Raises `UnknownCallError`."""
        try:
            entries = self.document["calls"][service][operation]
        except KeyError:
            raise UnknownCallError(
                f"{service} {operation}: infra/reference/table.json names no IAM action for this call."
                " Run `make reference`, or add the call to infra/reference/exceptions.toml."
            ) from None
        return tuple(Need(entry.get("when", ""), tuple(entry["actions"])) for entry in entries)

    def actions_of(self, service: str, operation: str, parameters: Any) -> frozenset[str]:
        """The actions that a call with these parameters needs. Raises `UnknownCallError`."""
        present = frozenset(paths(parameters))
        needs = self.needs(service, operation)
        found = [need for need in needs if need.when and need.when in present]
        found = found or [need for need in needs if not need.when]
        if not found:
            raise UnknownCallError(
                f"{service} {operation}: no entry of infra/reference/table.json fits its parameters"
            )
        return frozenset(action for need in found for action in need.actions)

    def key_actions(self, service: str, operation: str) -> frozenset[str]:
        """The use of a store's customer managed key that comes with a call, through that store."""
        keys = self.document["keys"]
        return frozenset(keys.get(f"{service} {operation}", keys.get(f"{service} *", ())))

    def action(self, name: str) -> Action:
        """An action as AWS describes it. Raises `UnknownCallError`."""
        try:
            entry = self.document["actions"][name]
        except KeyError:
            raise UnknownCallError(
                f"{name} is no IAM action in infra/reference/table.json"
            ) from None
        return Action(entry["level"], tuple(entry["resources"]), tuple(entry["conditions"]))

    def arn_patterns(self, action: str) -> list[re.Pattern[str]]:
        """The ARNs that an action can be granted on, as patterns; none where it takes only `*`."""
        prefix = action.partition(":")[0]
        arns = [
            self.document["resources"][f"{prefix}:{kind}"] for kind in self.action(action).resources
        ]
        return [re.compile(re.sub(r"\\\$\\\{\w+\\\}", ".+", re.escape(arn))) for arn in arns]


@cache
def reference() -> Reference:
    """The table of this checkout."""
    return Reference(json.loads(TABLE.read_text("utf-8")))


def paths(value: Any, path: str = "") -> Iterator[str]:
    """The paths of all members of a call's parameters: `Content.Raw`, `TransactItems[].Put`."""
    if path:
        yield path
    if isinstance(value, dict):
        for name, member in value.items():
            yield from paths(member, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple):
        for member in value:
            yield from paths(member, f"{path}[]")
