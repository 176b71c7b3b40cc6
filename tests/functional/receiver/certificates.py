"""Certificates of an authority that lives as long as a test."""

import json
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from receiver.settings import TlsFiles

SERVER = "receiver.ens.example"
"""The receiver's name in its certificates."""

_PEM = serialization.Encoding.PEM


class CertificateFolder:
    """Issues certificates into a folder. Its own is of `issuer`, or self-signed."""

    def __init__(
        self, folder: Path, name: str = "authority", issuer: "CertificateFolder | None" = None
    ) -> None:
        self.folder = folder
        self.last: x509.Certificate
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = (issuer or self)._build(self._name, self._key, name, authority=True)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(certificate.public_bytes(_PEM))

    def issue(self, name: str) -> tuple[Path, Path]:
        """The files of a certificate for this DNS name, and of its key; earlier ones are replaced."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._build(subject, key, name, authority=False)
        certificate_file, key_file = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        certificate_file.write_bytes(certificate.public_bytes(_PEM))
        key_file.write_bytes(
            key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        return certificate_file, key_file

    def server(
        self, *trusted: "CertificateFolder", mutual: bool = True, crl: bytes = b""
    ) -> TlsFiles:
        """The receiver's files. If `mutual`, clients need a certificate of this authority or of `trusted`."""
        certificate, key = self.issue(SERVER)
        authorities, revoked = self.folder / "clients.pem", self.folder / "clients.crl"
        authorities.write_bytes(b"".join(one.file.read_bytes() for one in (self, *trusted)))
        revoked.write_bytes(crl)
        return TlsFiles(
            str(certificate),
            str(key),
            str(authorities) if mutual else "",
            str(revoked) if crl else "",
        )

    def secret(self, name: str) -> str:
        """A new certificate, its key and this authority as the receiver's secret holds them."""
        certificate, key = self.issue(name)
        return json.dumps(
            {
                "certificate": certificate.read_text(),
                "key": key.read_text(),
                "client_ca": self.file.read_text(),
            }
        )

    def client(self, name: str = "") -> ssl.SSLContext:
        """A client's context that trusts this authority, with a certificate of that name."""
        context = ssl.create_default_context(cafile=str(self.file))
        if name:
            context.load_cert_chain(*self.issue(name))
        return context

    def client_of(
        self,
        subject: x509.Name,
        trusting: "CertificateFolder | None" = None,
        days: float = 1 / 24,
    ) -> ssl.SSLContext:
        """A client's context with a certificate of this subject. It trusts `trusting`, else this authority."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._build(subject, key, "client.example", authority=False, days=days)
        pair = self.folder / f"client-{certificate.serial_number}.pem"
        pair.write_bytes(
            certificate.public_bytes(_PEM)
            + key.private_bytes(
                _PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context = ssl.create_default_context(cafile=str((trusting or self).file))
        context.load_cert_chain(pair)
        self.last = certificate
        return context

    def revoked(self, *certificates: x509.Certificate) -> bytes:
        """A certificate revocation list of this authority with these certificates, in PEM."""
        now = datetime.now(UTC)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._name)
            .last_update(now - timedelta(minutes=1))
            .next_update(now + timedelta(hours=1))
        )
        for certificate in certificates:
            entry = (
                x509.RevokedCertificateBuilder()
                .serial_number(certificate.serial_number)
                .revocation_date(now)
                .build()
            )
            builder = builder.add_revoked_certificate(entry)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(_PEM)

    def _build(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        dns: str,
        *,
        authority: bool,
        days: float = 1 / 24,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=1))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if not authority:
            names = x509.SubjectAlternativeName([x509.DNSName(dns)])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, hashes.SHA256())
