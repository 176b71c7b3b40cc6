"""A certificate authority for tests of mutual TLS: made in memory, valid for a day."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class IssuedPem:
    """A certificate and its key, each as PEM."""

    pem: str
    key_pem: str


@dataclass(frozen=True, slots=True)
class CertificateAuthority:
    """An authority; `issue` makes a certificate for a host or a client."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        """The authority's own certificate."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def issue(self, name: str, days: int = 1) -> IssuedPem:
        """A certificate for a name, usable by both sides of a connection; expired where `days` < 0."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _builder(name, self.certificate.subject, days)
            .public_key(key.public_key())
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                critical=False,
            )
            .sign(self.key, hashes.SHA256())
        )
        return IssuedPem(certificate.public_bytes(serialization.Encoding.PEM).decode(), pem_of(key))


def authority() -> CertificateAuthority:
    """A new authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        _builder("tests", name)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return CertificateAuthority(certificate, key)


def context_for(issued: IssuedPem, root: CertificateAuthority, folder: Path) -> ssl.SSLContext:
    """A server's context that shows a certificate and trusts the authority's."""
    pair = folder / "server.pem"
    pair.write_text(f"{issued.pem}\n{issued.key_pem}")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cadata=root.pem)
    context.load_cert_chain(pair)
    return context


def pem_of(key: PrivateKeyTypes) -> str:
    """A private key as PKCS #8 PEM."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _builder(name: str, issuer: x509.Name, days: int = 1) -> x509.CertificateBuilder:
    end = datetime.now(UTC) + timedelta(days=days)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(end - timedelta(days=1, hours=1))
        .not_valid_after(end)
    )
