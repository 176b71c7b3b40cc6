"""Valid and invalid chains of S/MIME certificates (RFC 5280 6.1), each case with certificates made for it."""

from datetime import timedelta

import pytest
from cryptography import x509

from lambdas.delivery.mail.certificates import BadCertificateError, usable
from tests.support.certificates import (
    DAY,
    IssuedCertificate,
    authority,
    mailbox,
    named,
    revocations,
    signed_by,
)

ADDRESS = "petra@clinic.example"
ROOT = authority("certificates root")
MIDDLE = authority("certificates middle", ROOT)


def special(
    name: str,
    issuer: IssuedCertificate | None = ROOT,
    *,
    path_length: int | None = None,
    signs: bool = True,
    only: x509.GeneralName | None = None,
    ends: timedelta = DAY,
) -> IssuedCertificate:
    """An authority with a path length, a key usage, and a critical constraint of the names below it."""
    usage = x509.KeyUsage(True, False, False, False, False, signs, True, False, False)
    builder = (
        named(name, ends)
        .add_extension(x509.BasicConstraints(True, path_length), critical=True)
        .add_extension(usage, critical=True)
    )
    if only:
        builder = builder.add_extension(x509.NameConstraints([only], None), critical=True)
    return signed_by(builder, name, issuer)


def reason(*chain: IssuedCertificate, anchor: IssuedCertificate = ROOT, crls: str = "") -> str:
    """The reason for which the first certificate of a chain must not be used; "" when it may be."""
    lists = [x509.load_pem_x509_crl(crls.encode())] if crls else []
    try:
        usable("".join(one.pem for one in chain), ADDRESS, [anchor.certificate], lists)
    except BadCertificateError as bad:
        return str(bad)
    return ""


def test_a_chain_holds_in_whatever_order_its_issuers_stand() -> None:
    lower = authority("lower", MIDDLE)
    leaf = mailbox(ADDRESS, lower)
    assert reason(leaf, lower, MIDDLE) == reason(leaf, MIDDLE, lower) == ""
    assert reason(leaf, lower) == "untrusted"


def test_without_an_anchor_nobody_is_trusted() -> None:
    with pytest.raises(BadCertificateError, match="untrusted"):
        usable(mailbox(ADDRESS, ROOT).pem, ADDRESS, [], [])


def test_a_path_longer_than_an_authority_allows_is_untrusted() -> None:
    short = special("short", path_length=0)
    assert reason(mailbox(ADDRESS, short), short) == ""
    below = authority("below", short)
    assert reason(mailbox(ADDRESS, below), below, short) == "untrusted"


def test_an_authority_whose_key_may_not_sign_certificates_is_untrusted() -> None:
    silent = special("silent", signs=False)
    assert reason(mailbox(ADDRESS, silent), silent) == "untrusted"


def test_an_authority_for_other_mail_domains_is_untrusted() -> None:
    own = special("own", only=x509.RFC822Name("clinic.example"))
    other = special("other", only=x509.RFC822Name("hospital.example"))
    assert reason(mailbox(ADDRESS, own), own) == ""
    assert reason(mailbox(ADDRESS, other), other) == "untrusted"


def test_an_authority_that_has_expired_is_untrusted() -> None:
    old_root = special("old root", None, ends=-DAY)
    assert reason(mailbox(ADDRESS, old_root), anchor=old_root) == "untrusted"
    old = special("old", ends=-DAY)
    assert reason(mailbox(ADDRESS, old), old) == "untrusted"


def test_an_authority_that_was_revoked_takes_its_certificates_with_it() -> None:
    leaf = mailbox(ADDRESS, MIDDLE)
    assert reason(leaf, MIDDLE, crls=revocations(ROOT, MIDDLE)) == "revoked"
    assert reason(leaf, MIDDLE, crls=revocations(ROOT)) == ""


def test_a_revocation_list_that_another_key_signed_is_not_believed() -> None:
    leaf = mailbox(ADDRESS, MIDDLE)
    forged = IssuedCertificate(MIDDLE.certificate, authority("forger").key)
    assert reason(leaf, MIDDLE, crls=revocations(forged, leaf)) == ""
