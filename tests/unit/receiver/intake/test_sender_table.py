"""The sender table: who may write which MSH-3 and MSH-4, from where and with which certificate."""

from ipaddress import ip_network
from typing import Any

import pytest

from receiver.intake.sender_table import SenderBinding, SenderTable, certificate_names, within

OPEN = SenderBinding("open", "ADT", "OPEN")
NETWORK = SenderBinding("network", "ADT", "NET", networks=(ip_network("10.1.0.0/16"),))
CERTIFIED = SenderBinding("certified", "ADT", "CERT", certificates=frozenset({"adt.cert.example"}))
BOTH = SenderBinding(
    "both",
    "ADT",
    "BOTH",
    networks=(ip_network("10.2.0.0/16"),),
    certificates=frozenset({"adt.both.example"}),
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
    found = TABLE.origin("c", address, frozenset(names)).sender("ADT", facility)
    assert (found.name if found else None) == sender


def test_nobody_unknown_is_taken_where_the_table_is_complete() -> None:
    origin = SenderTable((OPEN,), reject_unknown=True).origin("c", ELSEWHERE, frozenset())
    assert origin.sender("ADT", "OPEN") == OPEN
    assert origin.sender("ADT", "OTHER") is None


def test_the_first_of_two_entries_wins() -> None:
    table = SenderTable((OPEN, SenderBinding("late", "ADT", "OPEN")), reject_unknown=False)
    assert table.origin("c", ELSEWHERE, frozenset()).sender("ADT", "OPEN") == OPEN


def test_a_certificate_is_known_by_cn_dns_name_and_whole_subject() -> None:
    certificate: dict[str, Any] = {
        "subject": ((("organizationName", "Northgen"),), (("commonName", "adt"),)),
        "subjectAltName": (("DNS", "adt.northgen.example"), ("IP Address", "10.0.0.1")),
    }
    names = certificate_names(certificate)
    assert names == {"adt", "adt.northgen.example", "O=Northgen,CN=adt"}
    assert certificate_names(None) == certificate_names({}) == frozenset()


def test_an_address_outside_is_outside() -> None:
    assert not within("::1", (ip_network("10.0.0.0/8"),))
    assert within("fd00::1", (ip_network("fd00::/8"),))
