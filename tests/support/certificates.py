"""Certificates made for one test: an authority, and what it certifies. RSA keys, valid for a day."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = timedelta(days=1)


@cache
def key(name: str) -> rsa.RSAPrivateKey:
    """A key of its own for each name."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(frozen=True, slots=True)
class IssuedCertificate:
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey = field(repr=False)

    @property
    def pem(self) -> str:
        """The certificate as PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def key_pem(self) -> str:
        """The private key as PEM, in the clear."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()


def authority(
    name: str, issuer: IssuedCertificate | None = None, ca: bool = True
) -> IssuedCertificate:
    """An authority that certifies others, its own root without `issuer`."""
    builder = _named(name).add_extension(x509.BasicConstraints(ca=ca, path_length=None), True)
    return _signed(builder, name, issuer)


def mailbox(
    address: str,
    issuer: IssuedCertificate,
    expired: bool = False,
    use: Sequence[x509.ObjectIdentifier] = (ExtendedKeyUsageOID.EMAIL_PROTECTION,),
) -> IssuedCertificate:
    """A certificate for one mail address."""
    builder = (
        _named(address, -DAY if expired else DAY)
        .add_extension(x509.SubjectAlternativeName([x509.RFC822Name(address)]), False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        .add_extension(x509.ExtendedKeyUsage(use), False)
    )
    return _signed(builder, address, issuer)


def revocations(issuer: IssuedCertificate, *revoked: IssuedCertificate) -> str:
    """The authority's list of revoked certificates as PEM."""
    now = datetime.now(UTC)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(now - DAY)
        .next_update(now + DAY)
    )
    for one in revoked:
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder()
            .serial_number(one.certificate.serial_number)
            .revocation_date(now - DAY)
            .build()
        )
    signed = builder.sign(issuer.key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def _named(name: str, ends: timedelta = DAY) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 3 * DAY)
        .not_valid_after(now + ends)
        .public_key(key(name).public_key())
    )


def _signed(
    builder: x509.CertificateBuilder, name: str, issuer: IssuedCertificate | None
) -> IssuedCertificate:
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = builder.issuer_name(issuer.certificate.subject if issuer else own)
    return IssuedCertificate(
        builder.sign(issuer.key if issuer else key(name), hashes.SHA256()), key(name)
    )
