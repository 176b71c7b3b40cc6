"""Decides which MSH-3 and MSH-4 a connection may send.

An entry may be bound to source networks, to certificate names, or to both. A connection that matches
bound entries may send as these and no others; no other connection may send as a bound entry. The
content of a message does not change that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

UNKNOWN = "unknown"

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class SenderBinding:
    """A sender: its configured name, MSH-3.1 and MSH-4.1.

    `networks` and `certificates` (a subject's CN, its whole subject, or a DNS name of it) bind it;
    `trigger_events` are the only ones that it may send. An empty set allows all.
    """

    name: str
    sending_application: str
    sending_facility: str
    networks: tuple[Network, ...] = ()
    certificates: frozenset[str] = frozenset()
    trigger_events: frozenset[str] = frozenset()

    @property
    def bound(self) -> bool:
        """Whether only certain connections may use it."""
        return bool(self.networks or self.certificates)

    def met_by(self, address: Address | None, names: frozenset[str]) -> bool:
        """Whether a connection from this address, with a certificate of these names, matches this sender."""
        if self.certificates and not self.certificates & names:
            return False
        return not self.networks or (
            address is not None and any(address in network for network in self.networks)
        )


@dataclass(frozen=True)
class Origin:
    """A connection's id, its peer's address and its permitted senders.

    `allowed` maps MSH-3.1 and MSH-4.1 to an entry, or to None for an entry of other connections.
    `strict`: senders that are not in `allowed` are rejected.
    """

    connection: str
    peer: str = ""
    allowed: Mapping[tuple[str, str], SenderBinding | None] = field(
        default_factory=dict, repr=False
    )
    strict: bool = False

    @cached_property
    def anybody(self) -> SenderBinding:
        """The entry for senders that are not configured."""
        return SenderBinding(UNKNOWN, "", "")

    def sender(self, sending_application: str, sending_facility: str) -> SenderBinding | None:
        """The entry for this MSH-3.1 and MSH-4.1; None when this connection may not send as it."""
        default = None if self.strict else self.anybody
        return self.allowed.get((sending_application, sending_facility), default)


class SenderTable:
    """All configured senders. `refuse_unknown`: other senders are rejected."""

    def __init__(self, senders: tuple[SenderBinding, ...], *, refuse_unknown: bool) -> None:
        self._refuse_unknown = refuse_unknown
        self._bound = [sender for sender in senders if sender.bound]
        # Shared by all connections without a bound entry: one table, not one for each connection.
        self._open: dict[tuple[str, str], SenderBinding | None] = {}
        for sender in senders:
            key = sender.sending_application, sender.sending_facility
            self._open[key] = None if sender.bound else self._open.get(key, sender)

    def origin(self, connection: str, address: str, names: frozenset[str]) -> Origin:
        """The permissions of a connection from this address, with a certificate of these names."""
        source = _parsed(address)
        bound = [sender for sender in self._bound if sender.met_by(source, names)]
        if not bound:
            return Origin(connection, address, self._open, self._refuse_unknown)
        allowed: dict[tuple[str, str], SenderBinding | None] = {
            (sender.sending_application, sender.sending_facility): sender
            for sender in reversed(bound)  # the first entry wins
        }
        return Origin(connection, address, allowed, strict=True)


def within(address: str, networks: tuple[Network, ...]) -> bool:
    """Whether the address is in one of the networks; False for a text that is no address."""
    found = _parsed(address)
    return found is not None and any(found in network for network in networks)


def _parsed(address: str) -> Address | None:
    """The address, as IPv4 when it is mapped into IPv6; None for a text that is no address."""
    try:
        found = ip_address(address)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def certificate_names(certificate: Mapping[str, Any] | None) -> frozenset[str]:
    """The names in a verified client certificate (`getpeercert`): CN, DNS names, whole subject.

    The whole subject is written as `CN=...,O=...`, in the certificate's order.
    """
    if not certificate:
        return frozenset()
    parts = [pair for names in certificate.get("subject", ()) for pair in names]
    names = {value for name, value in parts if name == "commonName"}
    names |= {value for kind, value in certificate.get("subjectAltName", ()) if kind == "DNS"}
    short = {"commonName": "CN", "organizationName": "O", "organizationalUnitName": "OU"}
    short |= {"countryName": "C", "localityName": "L", "stateOrProvinceName": "ST"}
    names.add(",".join(f"{short.get(name, name)}={value}" for name, value in parts))
    return frozenset(names)
