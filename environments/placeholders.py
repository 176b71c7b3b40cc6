"""Finds the example values that a deployer has to replace before the environment is used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from environments.environment import Environment

SMOKE = "smoke"

# RFC 2606 reserves .example, .test, .invalid and the example domains.
_EXAMPLE_DOMAIN = re.compile(r"(^|[.@/])([\w-]+\.(example|test|invalid)|example\.(com|net|org))\b")
# The accounts of AWS's own documentation.
_EXAMPLE_ACCOUNT = re.compile(r"(^|:)(123456789012|1{4}2{4}3{4}|4{4}5{4}6{4}|0{12})(:|$)")
# RFC 5737: networks for documentation.
_EXAMPLE_NETWORK = re.compile(r"^(192\.0\.2|198\.51\.100|203\.0\.113)\.")


def unset_values(environment: Environment) -> list[str]:
    """Returns `<file>: <key>: <remedy>` for each example value, sample sender and empty list."""
    file = f"environments/{environment.name}.toml"
    values = asdict(environment)
    senders = values.pop("senders")
    policies = values.pop("policies")
    found = list(_examples(file, "", values))
    found += [
        f"{file}: policies: {policy['name']} is an example; have counsel check a copy of it, and list that"
        for policy in policies
        if policy["example"]
    ]
    for sender in senders:
        name = sender.pop("name")
        if sender["sample"]:
            found.append(f"{file}: senders: {name} is a sample; list the hospital's own systems")
        else:
            found += _examples(f"environments/senders/{name}.toml", "", sender)
    if all(sender.name == SMOKE for sender in environment.senders):
        found.append(f"{file}: senders: no hospital system; add a file in environments/senders/")
    if not environment.alarm_addresses and not environment.alarm_topics:
        found.append(f"{file}: alarm_addresses: alarms have no recipient; add a mail address")
    return found


def _examples(file: str, key: str, value: Any) -> Iterator[str]:
    match value:
        case dict():
            for name, part in value.items():
                yield from _examples(file, f"{key}.{name}" if key else name, part)
        case list() | tuple():
            for index, part in enumerate(value):
                yield from _examples(file, f"{key}[{index}]", part)
        case str() if _EXAMPLE_DOMAIN.search(value):
            yield f"{file}: {key}: {value} is in an example domain (RFC 2606); set the real one"
        case str() if _EXAMPLE_ACCOUNT.search(value):
            yield f"{file}: {key}: {value} names an example account; set the real one"
        case str() if _EXAMPLE_NETWORK.match(value):
            yield f"{file}: {key}: {value} is in an example network (RFC 5737); set the real one"
