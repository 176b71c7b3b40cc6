"""Decides which sender a connection's message comes from: the only origin that later steps use.

A sender may be bound to source networks, to client certificates, or to both. A connection that matches
bound senders may use these only. No other connection may use a bound sender, whatever its messages say.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from hl7.header import Header
from receiver.intake.client_certificate import CertificateBinding, ClientCertificate

UNKNOWN = "unknown"

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class SenderBinding:
    """The connections that may use a sender, which is known by its MSH-3.1 and MSH-4.1.

    An empty tuple does not bind. `trigger_events` is empty when all are allowed.
    """

    name: str
    sending_application: str
    sending_facility: str
    networks: tuple[Network, ...] = ()
    certificates: tuple[CertificateBinding, ...] = ()
    trigger_events: frozenset[str] = frozenset()

    @property
    def bound(self) -> bool:
        """Whether only matching connections may use this sender."""
        return bool(self.networks or self.certificates)

    def matches(self, address: Address | None, certificate: ClientCertificate | None) -> bool:
        """Whether a connection with this address and this certificate may use this sender."""
        if self.certificates and not (
            certificate and any(one.matches(certificate) for one in self.certificates)
        ):
            return False
        return not self.networks or (
            address is not None and any(address in network for network in self.networks)
        )


UNCONFIGURED = SenderBinding(UNKNOWN, "", "")
"""The binding of senders that are not configured."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A connection's id, its peer's address and its permitted senders.

    `allowed` maps MSH-3.1 and MSH-4.1 to a sender, or to None for a sender of other connections. With
    `strict`, senders outside `allowed` are rejected.
    """

    connection: str
    peer: str = ""
    allowed: Mapping[tuple[str, str], SenderBinding | None] = field(
        default_factory=dict, repr=False
    )
    strict: bool = False

    def sender(self, sending_application: str, sending_facility: str) -> SenderBinding | None:
        """Returns the sender of MSH-3.1 and MSH-4.1, None when this connection may not use it."""
        default = None if self.strict else UNCONFIGURED
        return self.allowed.get((sending_application, sending_facility), default)

    def sender_of(self, header: Header | None) -> SenderBinding | None:
        """Returns the sender of a message, decided on the bytes that ParseMessage reads; None for none allowed."""
        if header is None:
            return None
        letterhead = header.letterhead
        return self.sender(letterhead.sending_application, letterhead.sending_facility)


class SenderTable:
    """All configured senders. With `reject_unknown`, only bound senders are accepted."""

    def __init__(self, senders: tuple[SenderBinding, ...], *, reject_unknown: bool) -> None:
        self._reject_unknown = reject_unknown
        self._bound = [sender for sender in senders if sender.bound]
        # All connections without a bound sender share this table.
        self._open: dict[tuple[str, str], SenderBinding | None] = {}
        for sender in senders:
            key = sender.sending_application, sender.sending_facility
            closed = sender.bound or reject_unknown
            self._open[key] = None if closed else self._open.get(key, sender)

    def origin(
        self, connection: str, address: str, certificate: ClientCertificate | None
    ) -> Origin:
        """Returns the permitted senders of a connection with this address and this certificate."""
        source = _parsed(address)
        bound = [sender for sender in self._bound if sender.matches(source, certificate)]
        if not bound:
            return Origin(connection, address, self._open, self._reject_unknown)
        allowed: dict[tuple[str, str], SenderBinding | None] = {
            (sender.sending_application, sender.sending_facility): sender
            for sender in reversed(bound)  # of two with the same key, the first stays
        }
        return Origin(connection, address, allowed, strict=True)


def within(address: str, networks: tuple[Network, ...]) -> bool:
    """Whether the address is in one of the networks. False when it is not an IP address."""
    found = _parsed(address)
    return found is not None and any(found in network for network in networks)


def _parsed(address: str) -> Address | None:
    """The parsed address, an IPv4-mapped one as IPv4 (RFC 4291, 2.5.5.2). None if it is not an address."""
    try:
        found = ip_address(address)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
