"""Whether a recipient's certificate may be encrypted to: chain, validity, address, use, revocation."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

MAX_INTERMEDIATES = 5
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
    chain = _chain(leaf, issuers, anchors)
    for certificate, issuer in pairwise(chain):
        _check_revocation(certificate, issuer, revocations)
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


def _chain(
    leaf: x509.Certificate, issuers: list[x509.Certificate], anchors: list[x509.Certificate]
) -> list[x509.Certificate]:
    """The certificates from the leaf to an anchor, verified by `cryptography` (RFC 5280 6.1).

    https://cryptography.io/en/latest/x509/verification/
    """
    now = datetime.now(UTC)
    if not leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc:
        raise BadCertificateError(EXPIRED)
    if not anchors:
        raise BadCertificateError(UNTRUSTED)
    authorities = (
        ExtensionPolicy.permit_all()
        .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)
        .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _check_signs_certificates)
    )
    verifier = (
        PolicyBuilder()
        .store(Store(anchors))
        .time(now)
        .max_chain_depth(MAX_INTERMEDIATES)
        # The verifier's defaults are for TLS. `_fit_to_encrypt` checks the leaf's uses.
        .extension_policies(ca_policy=authorities, ee_policy=ExtensionPolicy.permit_all())
        .build_client_verifier()
    )
    try:
        return verifier.verify(leaf, issuers).chain
    except VerificationError:
        raise BadCertificateError(UNTRUSTED) from None


def _check_signs_certificates(_: Policy, __: x509.Certificate, use: x509.KeyUsage | None) -> None:
    """Refuses an authority whose key may not sign certificates (RFC 5280 4.2.1.3, keyCertSign)."""
    if use is not None and not use.key_cert_sign:
        raise ValueError("keyCertSign is not asserted")


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
