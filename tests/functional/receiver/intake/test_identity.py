"""The identity of a sender: its certificate, its network, a balancer's header; and its permitted messages."""

import socket
import ssl
import struct
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from receiver.intake.client_certificate import CertificateBinding, attributes
from receiver.intake.sender_table import SenderBinding
from tests.functional.receiver.certificates import SERVER, CertificateFolder
from tests.functional.receiver.world import NORTHGEN, ReceiverWorld, adt, eventually

LOOPBACK = (ip_network("127.0.0.0/8"),)


def issued_to(name: str, issuer: str = "authority") -> CertificateBinding:
    return CertificateBinding(attributes([("CN", issuer)]), attributes([("CN", name)]))


def test_a_message_over_tls_is_stored_and_acknowledged(
    start: Callable[..., ReceiverWorld], authority: CertificateFolder
) -> None:
    world = start(tls=authority.server(mutual=False))
    with world.connect(tls=authority.client()) as sender:
        assert sender.ask(adt()) == "AA NG-1"
        sender.send(*(adt(f"P-{n}", patient=str(n)) for n in range(20)))
        assert [sender.answer() for _ in range(20)] == [f"AA P-{n}" for n in range(20)]
        assert isinstance(sender.socket, ssl.SSLSocket)
        assert sender.socket.version() in ("TLSv1.2", "TLSv1.3")
    assert eventually(lambda: world.server.open_connections == 0)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_tls_1_1_is_rejected(
    start: Callable[..., ReceiverWorld], authority: CertificateFolder
) -> None:
    world = start(tls=authority.server(mutual=False))
    old = authority.client()
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        world.connect(tls=old)


def test_a_plain_tcp_client_is_rejected_and_its_bytes_are_not_logged(
    start: Callable[..., ReceiverWorld], authority: CertificateFolder
) -> None:
    world = start(tls=authority.server(mutual=False))
    with world.connect() as plain:
        plain.send(adt())
        assert eventually(lambda: world.counted("ConnectionsRejected") == 1)
    assert "NORTHGEN" not in world.output.getvalue()
    assert world.server.open_connections == 0


def test_a_handshake_that_does_not_come_is_given_up_in_time(
    start: Callable[..., ReceiverWorld], authority: CertificateFolder
) -> None:
    world = start(tls=authority.server(mutual=False), tls_handshake_seconds=0.1, max_connections=1)
    with world.connect() as silent:
        assert silent.is_closed()
    assert eventually(lambda: world.counted("ConnectionsRejected") == 1)
    with world.connect(tls=authority.client()) as sender:
        assert sender.ask(adt()) == "AA NG-1", "its place is free again"


def test_mutual_tls_takes_certificates_of_its_authority_alone(
    start: Callable[..., ReceiverWorld], authority: CertificateFolder, tmp_path: Path
) -> None:
    world = start(tls=authority.server())
    with world.connect(tls=authority.client("adt.northgen.example")) as sender:
        assert sender.ask(adt()) == "AA NG-1"
    strange = authority.client()
    strange.load_cert_chain(*CertificateFolder(tmp_path, "stranger").issue("adt.stranger.example"))
    for context in (authority.client(), strange):
        # TLS 1.3 tells a client on its first read that its certificate was not taken.
        with (
            pytest.raises((ssl.SSLError, ConnectionError, EOFError)),
            world.connect(tls=context) as sender,
        ):
            sender.ask(adt())


def test_a_certificate_speaks_for_its_own_sender_alone(
    start: Callable[..., ReceiverWorld], authority: CertificateFolder
) -> None:
    northgen = SenderBinding(
        "northgen", "ADTSYS", "NORTHGEN", certificates=(issued_to("adt.northgen.example"),)
    )
    world = start(tls=authority.server(), senders=(northgen,))
    with world.connect(tls=authority.client("adt.northgen.example")) as sender:
        assert sender.ask(adt()) == "AA NG-1"
        assert sender.ask(adt("NG-2").replace(b"|NORTHGEN|", b"|SOUTHGEN|", 1)) == "AR NG-2"
    with world.connect(tls=authority.client("adt.southgen.example")) as other:
        assert other.ask(adt("NG-3")) == "AR NG-3"
    assert [envelope["sender"] for envelope in world.envelopes()] == ["northgen"]
    assert world.counted("Rejected", reason="sender_not_allowed") == 2


def test_a_refreshed_certificate_is_taken_up_and_no_connection_is_dropped(
    start: Callable[..., ReceiverWorld], authority: CertificateFolder
) -> None:
    world = start(tls=authority.server(mutual=False), tls_reload_seconds=0.05)
    with world.connect(tls=authority.client()) as before:
        assert before.ask(adt("A")) == "AA A"
        authority.issue(SERVER)  # the same files, new content
        assert eventually(lambda: "TLS: new certificate in use" in world.output.getvalue())
        assert before.ask(adt("B")) == "AA B"
        with world.connect(tls=authority.client()) as after:
            assert after.ask(adt("C")) == "AA C"
            old, new = before.socket, after.socket
            assert isinstance(old, ssl.SSLSocket)
            assert isinstance(new, ssl.SSLSocket)
            assert old.getpeercert(binary_form=True) != new.getpeercert(binary_form=True)


def test_a_broken_certificate_leaves_the_one_in_use(
    start: Callable[..., ReceiverWorld], authority: CertificateFolder
) -> None:
    files = authority.server(mutual=False)
    world = start(tls=files, tls_reload_seconds=0.05)
    Path(files.certificate).write_text("half a certif")
    assert eventually(lambda: "cannot be used" in world.output.getvalue())
    with world.connect(tls=authority.client()) as sender:
        assert sender.ask(adt()) == "AA NG-1"


def test_certificate_and_key_come_from_secrets_manager_too(
    start: Callable[..., ReceiverWorld], authority: CertificateFolder
) -> None:
    import boto3

    secrets = boto3.client("secretsmanager")
    secrets.create_secret(Name=str(authority.folder), SecretString=authority.secret(SERVER))
    world = start(tls_secret=str(authority.folder))
    with world.connect(tls=authority.client("adt.northgen.example")) as sender:
        assert sender.ask(adt()) == "AA NG-1"
    with (
        pytest.raises((ssl.SSLError, ConnectionError, EOFError)),
        world.connect(tls=authority.client()) as sender,
    ):
        sender.ask(adt())


def test_a_network_speaks_for_its_own_sender_alone(start: Callable[..., ReceiverWorld]) -> None:
    world = start(
        senders=(
            SenderBinding("here", "ADTSYS", "NORTHGEN", networks=LOOPBACK),
            SenderBinding("there", "ADTSYS", "SOUTHGEN", networks=(ip_network("10.9.0.0/16"),)),
        )
    )
    with world.connect() as sender:
        assert sender.ask(adt()) == "AA NG-1"
        assert sender.ask(adt("NG-2").replace(b"|NORTHGEN|", b"|SOUTHGEN|", 1)) == "AR NG-2"
        assert sender.ask(adt("NG-3").replace(b"|NORTHGEN|", b"|ELSEWHERE|", 1)) == "AR NG-3"
    assert [envelope["sender"] for envelope in world.envelopes()] == ["here"]


def test_a_sender_s_trigger_events_are_those_of_its_entry(
    start: Callable[..., ReceiverWorld],
) -> None:
    entry = SenderBinding(
        "northgen", "ADTSYS", "NORTHGEN", trigger_events=frozenset({"A01", "A03"})
    )
    world = start(senders=(entry,))
    with world.connect() as sender:
        assert sender.ask(adt("1")) == "AA 1"
        assert sender.ask(adt("2", kind="ADT^A08^ADT_A01")) == "AR 2"
    assert world.counted("Rejected", reason="trigger_not_allowed") == 1


def test_an_unknown_sender_is_rejected_where_the_table_is_complete(
    start: Callable[..., ReceiverWorld],
) -> None:
    bound = replace(NORTHGEN, networks=LOOPBACK)
    world = start(unknown_senders="reject", senders=(bound,))
    with world.connect() as sender:
        assert sender.ask(adt("1")) == "AA 1"
        assert sender.ask(adt("2").replace(b"|NORTHGEN|", b"|OTHER|", 1)) == "AR 2"


def test_production_takes_production_messages_alone(start: Callable[..., ReceiverWorld]) -> None:
    world = start(processing_ids=frozenset("P"))
    with world.connect() as sender:
        assert sender.ask(adt("1")) == "AA 1"
        for number, processing_id in (("2", b"T"), ("3", b"D"), ("4", b"T^I")):
            message = adt(number).replace(b"|P|2.5.1", b"|" + processing_id + b"|2.5.1")
            sender.send(message)
            answer = sender.acknowledgement()
            assert b"MSA|AR|" + number.encode() in answer
            assert b"|202^Unsupported processing id^HL70357|" in answer
        assert sender.ask(adt("5").replace(b"|P|2.5.1", b"||2.5.1")) == "AA 5"
        assert sender.ask(adt("6").replace(b"|P|2.5.1", b"|p|2.5.1")) == "AA 6"


def test_a_control_id_with_another_message_is_told_and_still_processed(
    world: ReceiverWorld,
) -> None:
    with world.connect() as sender:
        assert sender.ask(adt()) == "AA NG-1"
        assert sender.ask(adt(time="20261123091600")) == "AA NG-1", "a resend"
        assert world.counted("ControlIdReused") == 0
        assert sender.ask(adt(kind="ADT^A03^ADT_A03")) == "AA NG-1"
    assert world.counted("ControlIdReused") == 1
    assert len(world.objects("events/")) == 2


def proxy_header(command: int, address: str) -> bytes:
    addresses = socket.inet_aton(address) + socket.inet_aton("10.0.0.9") + struct.pack("!HH", 1, 2)
    extension = b"\x04\x00\x02ab"  # a no-op TLV, as balancers add them
    rest = addresses + extension
    return b"\r\n\r\n\x00\r\nQUIT\n" + struct.pack("!BBH", command, 0x11, len(rest)) + rest


def test_a_trusted_balancer_says_whose_connection_it_is(
    start: Callable[..., ReceiverWorld],
) -> None:
    sender_of = (SenderBinding("vpn", "ADTSYS", "NORTHGEN", networks=(ip_network("10.7.0.0/16"),)),)
    world = start(proxy_networks=LOOPBACK, senders=sender_of)
    with world.connect() as peer:
        peer.raw(proxy_header(0x21, "10.7.0.5") + b"\x0b" + adt() + b"\x1c\r")
        assert peer.answer() == "AA NG-1"
    with world.connect() as peer:
        peer.raw(proxy_header(0x21, "10.8.0.5")[:20])
        peer.raw(proxy_header(0x21, "10.8.0.5")[20:])
        assert peer.ask(adt("NG-2")) == "AR NG-2"
    assert eventually(lambda: "10.7.0.5" in {line.get("peer") for line in world.logged()})


def test_a_balancer_s_own_health_check_needs_no_address(
    start: Callable[..., ReceiverWorld],
) -> None:
    world = start(proxy_networks=LOOPBACK)
    with world.connect() as peer:
        peer.raw(proxy_header(0x20, "0.0.0.0"))
        assert peer.ask(adt()) == "AA NG-1"


@pytest.mark.parametrize("begin", [b"\x0bMSH|^~\\&|ADTSYS|", b"\r\n\r\n\x00\r\nQUIT\n\x11\x11\0\0"])
def test_a_trusted_balancer_without_its_header_is_rejected(
    start: Callable[..., ReceiverWorld], begin: bytes
) -> None:
    world = start(proxy_networks=LOOPBACK)
    with world.connect() as peer:
        peer.raw(begin)
        assert peer.is_closed()
    assert eventually(lambda: world.counted("ConnectionsRejected") == 1)


def test_a_header_of_somebody_else_closes_the_connection(world: ReceiverWorld) -> None:
    with world.connect() as peer:
        peer.raw(proxy_header(0x21, "10.7.0.5") + b"\x0b" + adt() + b"\x1c\r")
        assert peer.is_closed()
    assert eventually(lambda: world.counted("NotMllp", protocol="proxy") == 1)
    assert "127.0.0.1" in {line.get("peer") for line in world.logged()}
    assert world.envelopes() == []
