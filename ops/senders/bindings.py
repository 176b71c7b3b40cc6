"""Describes which connections each sender's binding admits, and which bindings admit too much."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from environments import Environment, Sender
from environments.placeholders import SMOKE

WIDE_BITS = 12
"""A network with more free bits than this (4096 addresses) is named as wide."""

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Admitted:
    """A sender, the connections that may use it, and what an operator should look at."""

    sender: str
    names: str
    connections: tuple[str, ...]
    trigger_events: str
    findings: tuple[str, ...]


def admitted(environment: Environment) -> list[Admitted]:
    """Returns what each sender of the environment admits, in the order of its file."""
    return [
        Admitted(
            sender.name,
            f"{sender.sending_application} / {sender.sending_facility}",
            tuple(_connections(sender, environment)),
            ", ".join(sender.trigger_events) or "all",
            tuple(_findings(sender, environment)),
        )
        for sender in environment.senders
    ]


def _connections(sender: Sender, environment: Environment) -> Iterator[str]:
    """The conditions of a connection, each a line; all of network and certificate have to hold."""
    for network in map(ip_network, sender.networks):
        yield f"from {network} ({network.num_addresses} addresses)"
    for certificate in sender.certificates:
        parts = [f"issuer {_name(certificate.issuer)}"]
        if certificate.subject:
            parts.append(f"subject {_name(certificate.subject)}")
        if certificate.dns_name:
            parts.append(f"DNS name {certificate.dns_name}")
        yield f"with a certificate of {', '.join(parts)}"
    if not sender.bound:
        accepted = environment.receiver.unknown_senders == "accept"
        yield "any connection that matches no other sender" if accepted else "none"


def _findings(sender: Sender, environment: Environment) -> Iterator[str]:
    if not sender.bound:
        yield "not bound: any host that reaches the receiver can send in its name"
        return
    networks = [ip_network(one) for one in sender.networks]
    for network in networks:
        if network.max_prefixlen - network.prefixlen > WIDE_BITS and not sender.certificates:
            yield f"{network} is wide: bind a certificate too, or name the interface engine's address"
        if not _reaches(network, environment, sender):
            yield f"{network} is outside network.sender_networks: it cannot connect"
    if sender.certificates and not environment.receiver.tls_secret:
        yield "bound to certificates, which only receiver.tls_secret asks for: nothing can connect"
    for other in environment.senders:
        if other.name != sender.name and _overlap(networks, other) and not sender.certificates:
            yield f"shares addresses with {other.name}: each of them may send as the other"


def _reaches(network: Network, environment: Environment, sender: Sender) -> bool:
    if environment.network is None or sender.name == SMOKE:
        return True
    allowed = map(ip_network, environment.network.sender_networks)
    return any(one.version == network.version and network.subnet_of(one) for one in allowed)  # type: ignore[arg-type]


def _overlap(networks: list[Network], other: Sender) -> bool:
    theirs = [ip_network(one) for one in other.networks]
    if other.certificates:
        return False
    return any(a.version == b.version and a.overlaps(b) for a in networks for b in theirs)


def _name(name: dict[str, str | tuple[str, ...]]) -> str:
    """A distinguished name: `CN=adt, O=Northgen`."""
    return ", ".join(
        f"{kind}={value}"
        for kind, values in name.items()
        for value in ((values,) if isinstance(values, str) else values)
    )
