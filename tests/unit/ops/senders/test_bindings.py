"""`ens senders check` says which connections each sender's binding admits."""

from dataclasses import replace

from environments import Environment, Sender, SenderCertificate, load
from ops.senders.bindings import Admitted, admitted

CERTIFICATE = SenderCertificate(
    issuer={"CN": "Northgen CA", "DC": ("northgen", "example")}, dns_name="adt.northgen.example"
)


def hospital(name: str, **binding: object) -> Sender:
    return Sender(name=name, sending_application="ADT", sending_facility=name.upper(), **binding)  # type: ignore[arg-type]


def checked(*senders: Sender) -> list[Admitted]:
    environment: Environment = replace(load("prod"), senders=senders)
    return admitted(environment)


def test_a_binding_is_shown_as_networks_and_whole_certificate_names() -> None:
    (one,) = checked(hospital("north", networks=("10.20.1.0/28",), certificates=(CERTIFICATE,)))
    assert one.connections == (
        "from 10.20.1.0/28 (16 addresses)",
        "with a certificate of issuer CN=Northgen CA, DC=northgen, DC=example,"
        " DNS name adt.northgen.example",
    )
    assert one.findings == ()


def test_a_wide_network_and_one_that_cannot_connect_are_named() -> None:
    wide, outside = checked(
        hospital("north", networks=("10.0.0.0/12",)),
        hospital("south", networks=("192.168.1.0/24",)),
    )
    assert any("is wide" in finding for finding in wide.findings)
    assert any("outside network.sender_networks" in finding for finding in outside.findings)


def test_senders_that_share_addresses_may_send_as_each_other() -> None:
    north, south = checked(
        hospital("north", networks=("10.20.0.0/24",)),
        hospital("south", networks=("10.20.0.64/26",)),
    )
    assert north.findings == ("shares addresses with south: each of them may send as the other",)
    assert south.findings == ("shares addresses with north: each of them may send as the other",)


def test_a_sender_without_a_binding_is_named() -> None:
    (_, northgen, _) = admitted(load("dev"))
    assert northgen.connections == ("any connection that matches no other sender",)
    assert northgen.findings[0].startswith("not bound")


def test_a_certificate_that_no_listener_asks_for_admits_nobody() -> None:
    environment = load("prod")
    balancer = replace(
        environment.receiver, tls_secret="", certificate_arn="arn:aws:acm:us-east-1:1:certificate/1"
    )
    north = hospital("north", certificates=(CERTIFICATE,))
    (one,) = admitted(replace(environment, receiver=balancer, senders=(north,)))
    assert "nothing can connect" in one.findings[0]
