"""The identity in a verified client certificate, and the identities that a sender is bound to.

Names are compared as parsed attributes, never as text: a comma inside a common name separates nothing
(RFC 5280, 4.1.2.4 and 7.1).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Attributes = frozenset[tuple[str, str, int]]
"""A distinguished name: type, value, and how often it has the pair. Their order is left out."""

# The attribute types of the sender files, by the names that Python's `getpeercert` gives them
# (OpenSSL's long names).
ATTRIBUTE_TYPES = {
    "commonName": "CN",
    "countryName": "C",
    "domainComponent": "DC",
    "emailAddress": "EMAIL",
    "localityName": "L",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "serialNumber": "SERIALNUMBER",
    "stateOrProvinceName": "ST",
    "userId": "UID",
}


def attributes(pairs: Iterable[tuple[str, str]]) -> Attributes:
    """Returns a distinguished name of these types and values. Two equal pairs stay two."""
    return frozenset((kind, value, times) for (kind, value), times in Counter(pairs).items())


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """The names in a verified client certificate, and its end (`notAfter`) as text."""

    issuer: Attributes
    subject: Attributes
    dns_names: frozenset[str] = frozenset()
    not_after: str = ""

    @classmethod
    def of_peer(cls, certificate: Mapping[str, Any] | None) -> "ClientCertificate | None":
        """Returns the identity in the result of `ssl.SSLSocket.getpeercert`; None without a certificate."""
        if not certificate:
            return None
        return cls(
            issuer=_name(certificate.get("issuer", ())),
            subject=_name(certificate.get("subject", ())),
            dns_names=frozenset(
                value.lower()
                for kind, value in certificate.get("subjectAltName", ())
                if kind == "DNS"
            ),
            not_after=str(certificate.get("notAfter", "")),
        )

    @property
    def label(self) -> str:
        """Subject and issuer for a log line: `CN=adt, O=Northgen (issuer CN=Northgen CA)`, on one line."""
        return f"{_text(self.subject)} (issuer {_text(self.issuer)})"


@dataclass(frozen=True, slots=True)
class CertificateBinding:
    """A client certificate that a sender is bound to: its issuer, and its subject or a DNS name, or both."""

    issuer: Attributes
    subject: Attributes = frozenset()
    dns_name: str = ""

    def matches(self, certificate: ClientCertificate) -> bool:
        """Whether the certificate has this issuer and these names, all attributes of each."""
        if certificate.issuer != self.issuer:
            return False
        if self.subject and certificate.subject != self.subject:
            return False
        if self.dns_name and self.dns_name.lower() not in certificate.dns_names:
            return False
        return bool(self.subject or self.dns_name)


def _name(sent: Iterable[Iterable[tuple[str, str]]]) -> Attributes:
    """A name of `getpeercert`: a sequence of sets of attributes."""
    return attributes(
        (ATTRIBUTE_TYPES.get(kind, kind), value) for names in sent for kind, value in names
    )


def _text(name: Attributes) -> str:
    """At most 200 printable characters of a name."""
    text = ", ".join(f"{kind}={value}" for kind, value, _ in sorted(name))
    return "".join(c if c.isprintable() else "?" for c in text)[:200]
