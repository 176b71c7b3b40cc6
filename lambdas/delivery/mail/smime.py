"""A mail's content signed by us and encrypted to its one reader (S/MIME 4.0, RFC 8551)."""

import base64
import json
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.serialization import pkcs7

from lambdas.common.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Keyring:
    """An environment's signing key and certificate, and the authorities that it trusts for recipients."""

    certificate: x509.Certificate
    key: RSAPrivateKey = field(repr=False)
    anchors: list[x509.Certificate]
    revocations: list[x509.CertificateRevocationList]

    @classmethod
    def from_secret(cls, text: str) -> "Keyring":
        """The keyring in a secret: a JSON object of PEM texts `certificate`, `key`, `anchors`, `crls`.

        Raises `ConfigurationError` where it has not that shape or the key is not an RSA key.
        """
        try:
            document = json.loads(text)
            key = serialization.load_pem_private_key(document["key"].encode(), None)
            if not isinstance(key, RSAPrivateKey):
                raise TypeError
            return cls(
                certificate=x509.load_pem_x509_certificate(document["certificate"].encode()),
                key=key,
                anchors=x509.load_pem_x509_certificates(document["anchors"].encode()),
                revocations=_revocations(document.get("crls", "")),
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ConfigurationError(
                "the S/MIME secret is not a JSON object of PEM texts"
            ) from None


def _revocations(pem: str) -> list[x509.CertificateRevocationList]:
    end = "-----END X509 CRL-----"
    pieces = (piece + end for piece in pem.split(end) if piece.strip())
    return [x509.load_pem_x509_crl(piece.encode()) for piece in pieces]


def enveloped(content: bytes, reader: x509.Certificate, ring: Keyring) -> bytes:
    """The MIME entity `content`, signed, then encrypted, as base64 lines of enveloped data.

    `content` has CRLF line ends; the signature covers it to the byte (RFC 8551 3.1.1).
    """
    signed = (
        pkcs7.PKCS7SignatureBuilder()
        .set_data(content)
        .add_signer(ring.certificate, ring.key, hashes.SHA256())
        .sign(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary])
    )
    inner = (
        b'Content-Type: application/pkcs7-mime; smime-type=signed-data; name="smime.p7m"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\n" + lines(signed)
    )
    sealed = (
        pkcs7.PKCS7EnvelopeBuilder()
        .set_data(inner)
        .add_recipient(reader)
        .set_content_encryption_algorithm(AES256)
        .encrypt(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary])
    )
    return lines(sealed)


def lines(data: bytes) -> bytes:
    """Base64 in lines of 76 characters that end in CRLF (RFC 2045 6.8)."""
    return base64.encodebytes(data).replace(b"\n", b"\r\n")
