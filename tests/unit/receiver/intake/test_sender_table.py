"""The sender table: who may write which MSH-3 and MSH-4, from where and with which certificate."""

from ipaddress import ip_network
from typing import Any

import pytest

from receiver.intake.client_certificate import (
    CertificateBinding,
    ClientCertificate,
    attributes,
)
from receiver.intake.sender_table import SenderBinding, SenderTable, within

CA, OTHER_CA = attributes([("CN", "Northgen CA")]), attributes([("CN", "Northgen")])


def bound_to(name: str) -> CertificateBinding:
    return CertificateBinding(CA, attributes([("CN", name)]))


def certificate(*names: str, issuer: str = "Northgen CA") -> ClientCertificate:
    """A verified certificate with these common names, as OpenSSL reports it."""
    peer: dict[str, Any] = {
        "issuer": ((("commonName", issuer),),),
        "subject": tuple((("commonName", name),) for name in names),
        "subjectAltName": (("DNS", "adt.Northgen.example"), ("IP Address", "10.0.0.1")),
    }
    found = ClientCertificate.of_peer(peer)
    assert found
    return found


OPEN = SenderBinding("open", "ADT", "OPEN")
NETWORK = SenderBinding("network", "ADT", "NET", networks=(ip_network("10.1.0.0/16"),))
CERTIFIED = SenderBinding("certified", "ADT", "CERT", certificates=(bound_to("adt.cert.example"),))
BOTH = SenderBinding(
    "both",
    "ADT",
    "BOTH",
    networks=(ip_network("10.2.0.0/16"),),
    certificates=(bound_to("adt.both.example"),),
)
TABLE = SenderTable((OPEN, NETWORK, CERTIFIED, BOTH), reject_unknown=False)
INSIDE, ELSEWHERE = "10.1.2.3", "192.0.2.7"


@pytest.mark.parametrize(
    ("address", "names", "facility", "sender"),
    [
        (ELSEWHERE, set(), "OPEN", "open"),
        (ELSEWHERE, set(), "OTHER", "unknown"),
        (ELSEWHERE, set(), "NET", None),
        (ELSEWHERE, set(), "CERT", None),
        (INSIDE, set(), "NET", "network"),
        (INSIDE, set(), "OPEN", None),
        (INSIDE, set(), "OTHER", None),
        ("::ffff:10.1.2.3", set(), "NET", "network"),
        (ELSEWHERE, {"adt.cert.example"}, "CERT", "certified"),
        (ELSEWHERE, {"adt.cert.example"}, "OPEN", None),
        (INSIDE, {"adt.cert.example"}, "NET", "network"),
        ("10.2.0.1", set(), "BOTH", None),
        (ELSEWHERE, {"adt.both.example"}, "BOTH", None),
        ("10.2.0.1", {"adt.both.example"}, "BOTH", "both"),
        ("not an address", set(), "NET", None),
    ],
)
def test_a_connection_speaks_for_its_own_senders_alone(
    address: str, names: set[str], facility: str, sender: str | None
) -> None:
    shown = certificate(*names) if names else None
    found = TABLE.origin("c", address, shown).sender("ADT", facility)
    assert (found.name if found else None) == sender


def test_only_bound_senders_are_accepted_where_unknown_ones_are_rejected() -> None:
    table = SenderTable((OPEN, NETWORK), reject_unknown=True)
    elsewhere, inside = (table.origin("c", a, None) for a in (ELSEWHERE, INSIDE))
    assert elsewhere.sender("ADT", "OPEN") is elsewhere.sender("ADT", "OTHER") is None
    assert inside.sender("ADT", "NET") == NETWORK


def test_the_first_of_two_entries_wins() -> None:
    table = SenderTable((OPEN, SenderBinding("late", "ADT", "OPEN")), reject_unknown=False)
    assert table.origin("c", ELSEWHERE, None).sender("ADT", "OPEN") == OPEN


@pytest.mark.parametrize(
    ("binding", "shown", "admitted"),
    [
        (bound_to("adt"), certificate("adt"), True),
        (bound_to("adt"), certificate("adt", issuer="Northgen"), False),
        (bound_to("adt"), certificate("adt", "adt"), False),
        (bound_to("adt"), certificate("ADT"), False),
        (CertificateBinding(CA, dns_name="adt.northgen.example"), certificate("any"), True),
        (CertificateBinding(OTHER_CA, dns_name="adt.northgen.example"), certificate("any"), False),
        (CertificateBinding(CA), certificate("adt"), False),
    ],
)
def test_a_binding_admits_its_issuer_and_all_attributes_of_its_subject(
    binding: CertificateBinding, shown: ClientCertificate, admitted: bool
) -> None:
    assert binding.matches(shown) is admitted


def test_a_comma_in_a_common_name_separates_no_attributes() -> None:
    """A certificate with the one attribute `CN=adt,O=Northgen` is not one with CN and O."""
    two = CertificateBinding(CA, attributes([("CN", "adt"), ("O", "Northgen")]))
    assert not two.matches(certificate("adt,O=Northgen"))
    assert not two.matches(certificate("O=Northgen,CN=adt"))


def test_a_connection_without_a_certificate_has_no_identity() -> None:
    assert ClientCertificate.of_peer(None) is ClientCertificate.of_peer({}) is None


def test_an_address_outside_is_outside() -> None:
    assert not within("::1", (ip_network("10.0.0.0/8"),))
    assert within("fd00::1", (ip_network("fd00::/8"),))
