"""Whether a recipient's certificate may be encrypted to: chain, validity, address, use, revocation."""

from datetime import UTC, datetime
from typing import cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LONGEST_CHAIN = 6
LEAST_RSA_BITS = 2048


class BadCertificateError(Exception):
    """A certificate that must not be used; its text is one of the reasons below, and names nobody."""


MISSING, UNREADABLE, EXPIRED = "missing", "unreadable", "expired"
OTHER_ADDRESS, UNTRUSTED, REVOKED, WRONG_USE = "other_address", "untrusted", "revoked", "wrong_use"


def usable(
    pem: str,
    address: str,
    anchors: list[x509.Certificate],
    revocations: list[x509.CertificateRevocationList],
) -> x509.Certificate:
    """The recipient's certificate, the first in `pem`, its issuers after it.

    Raises `BadCertificateError` with the first reason against it (RFC 5280 6.1, RFC 8550 3 and 4.4).
    Revocation is checked against the lists at hand: a function in a closed network fetches none.
    """
    if not pem.strip():
        raise BadCertificateError(MISSING)
    try:
        leaf, *issuers = x509.load_pem_x509_certificates(pem.encode())
        addresses = _addresses(leaf)
    except ValueError:
        raise BadCertificateError(UNREADABLE) from None
    if address.casefold() not in addresses:
        raise BadCertificateError(OTHER_ADDRESS)
    if not _fit_to_encrypt(leaf):
        raise BadCertificateError(WRONG_USE)
    _check_chain(leaf, issuers, anchors, revocations)
    return leaf


def _addresses(certificate: x509.Certificate) -> set[str]:
    """The mail addresses it is for: subjectAltName's, and the subject's old-fashioned one."""
    found = {
        str(attribute.value)
        for attribute in certificate.subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS)
    }
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return {address.casefold() for address in found}
    return {
        address.casefold() for address in found | set(names.get_values_for_type(x509.RFC822Name))
    }


def _fit_to_encrypt(leaf: x509.Certificate) -> bool:
    key = leaf.public_key()
    if not isinstance(key, RSAPublicKey) or key.key_size < LEAST_RSA_BITS:
        return False
    for extension in leaf.extensions:
        value = extension.value
        if isinstance(value, x509.KeyUsage) and not value.key_encipherment:
            return False
        if isinstance(value, x509.ExtendedKeyUsage) and not {
            ExtendedKeyUsageOID.EMAIL_PROTECTION,
            ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
        } & set(value):
            return False
    return True


def _check_chain(
    leaf: x509.Certificate,
    issuers: list[x509.Certificate],
    anchors: list[x509.Certificate],
    revocations: list[x509.CertificateRevocationList],
) -> None:
    """Walks from the leaf to an anchor; every certificate on the way must hold by itself."""
    current, below = leaf, 0
    for _ in range(LONGEST_CHAIN):
        _check_time(current)
        anchor = next((known for known in anchors if _issued(known, current, below)), None)
        issuer = anchor or next((k for k in issuers if _issued(k, current, below)), None)
        if issuer is None:
            raise BadCertificateError(UNTRUSTED)
        _check_revocation(current, issuer, revocations)
        if anchor:
            _check_time(anchor)
            return
        current, below = issuer, below + 1
    raise BadCertificateError(UNTRUSTED)


def _check_time(certificate: x509.Certificate) -> None:
    now = datetime.now(UTC)
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise BadCertificateError(EXPIRED)


def _issued(issuer: x509.Certificate, certificate: x509.Certificate, below: int) -> bool:
    """Whether `issuer` is an authority that may have `below` others under it, and signed this."""
    try:
        basic = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        certificate.verify_directly_issued_by(issuer)
    except (x509.ExtensionNotFound, InvalidSignature, TypeError, ValueError):
        return False
    if not basic.ca or (basic.path_length is not None and basic.path_length < below):
        return False
    if any(
        extension.critical and isinstance(extension.value, x509.NameConstraints)
        for extension in issuer.extensions
    ):
        return (
            False  # names that we would have to understand: such an authority is not trusted here
        )
    usage = [e.value for e in issuer.extensions if isinstance(e.value, x509.KeyUsage)]
    return all(value.key_cert_sign for value in usage)


def _check_revocation(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    revocations: list[x509.CertificateRevocationList],
) -> None:
    for known in revocations:
        if known.issuer != issuer.subject:
            continue
        signed = known.is_signature_valid(cast(RSAPublicKey, issuer.public_key()))
        if signed and known.get_revoked_certificate_by_serial_number(certificate.serial_number):
            raise BadCertificateError(REVOKED)
