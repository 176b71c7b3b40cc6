"""Finds what a deployer has still to fill in: values that can belong to nobody, and missing ones."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from environments.model import Environment

SMOKE = "smoke"
"""The sender of `ens smoke`, which every environment knows."""

# Reserved for documentation: RFC 2606 (names), RFC 5737 (addresses), AWS's example account.
RESERVED_NAMES = (".example", ".invalid", ".test", "example.com", "example.net", "example.org")
RESERVED_NETWORKS = tuple(
    ip_network(network) for network in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
)
RESERVED_ACCOUNT = ":123456789012:"


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One value to fill in: its file, its key in it (`mail.domain`), and what is wrong with it."""

    file: str
    key: str
    what: str


def placeholders(environment: Environment) -> list[Placeholder]:
    """Returns every placeholder of an environment and its senders; none for the local environment."""
    if environment.network is None:
        return []
    file = f"environments/{environment.name}.toml"
    content = asdict(environment)
    senders = content.pop("senders")
    found = [Placeholder(file, key, what) for key, what in _reserved(content)]
    for sender in senders:
        its_file = f"environments/senders/{sender['name']}.toml"
        found += [Placeholder(its_file, key, what) for key, what in _reserved(sender)]
    if not environment.alarm_addresses and not environment.alarm_topics:
        found.append(Placeholder(file, "alarm_addresses", "nobody is told of alarms"))
    if all(sender.name == SMOKE for sender in environment.senders):
        found.append(Placeholder(file, "senders", "no hospital system is named"))
    return found


def _reserved(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text below a value that is reserved for documentation, with its key."""
    match value:
        case dict():
            for name, item in value.items():
                yield from _reserved(item, f"{key}.{name}" if key else name)
        case list() | tuple():
            for number, item in enumerate(value):
                yield from _reserved(item, f"{key}[{number}]")
        case str() if _is_reserved(value):
            yield key, f"{value} is an example"


def _is_reserved(text: str) -> bool:
    host = text.rpartition("@")[2].rpartition("://")[2].partition("/")[0].lower()
    if host.endswith(RESERVED_NAMES) or RESERVED_ACCOUNT in text:
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in RESERVED_NETWORKS)
