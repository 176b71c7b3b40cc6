"""A host that is not the hospital's sends in the hospital's name."""

import json
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from receiver.intake.client_certificate import CertificateBinding, attributes
from receiver.intake.sender_table import SenderBinding
from tests.functional.receiver.certificates import CertificateFolder
from tests.functional.receiver.world import ReceiverWorld, adt

LOOPBACK = (ip_network("127.0.0.0/8"),)
ELSEWHERE = (ip_network("10.20.0.0/16"),)
VICTIM = SenderBinding("northgen", "ADTSYS", "NORTHGEN", networks=ELSEWHERE)

SPELLINGS = {
    "the same names": (b"ADTSYS", b"NORTHGEN", b""),
    "another MSH-3 with the same MSH-4": (b"OTHER", b"NORTHGEN", b""),
    "a subcomponent": (b"ADTSYS&X", b"NORTHGEN&X", b""),
    "a further component": (b"ADTSYS^X", b"NORTHGEN^X", b""),
    "a repetition": (b"ADTSYS~X", b"NORTHGEN~X", b""),
    "an escape": (b"ADT\\X53\\YS", b"NORTH\\X47\\EN", b""),
    "highlighting": (b"\\H\\ADTSYS\\N\\", b"NORTHGEN\\H\\", b""),
    "a zero byte": (b"ADTSYS\0", b"NORTHGEN\0", b""),
    "full-width letters": (
        "ＡＤＴＳＹＳ".encode(),
        "ＮＯＲＴＨＧＥＮ".encode(),
        b"||||||UNICODE UTF-8",
    ),
    "UTF-16 in the header": (b"ADTSYS", b"NORTHGEN", b"||||||UNICODE UTF-16"),
    "ISO 2022 in the header": (b"ADTSYS\x1b(J", b"\x1b(JNORTHGEN", b"||||||ISO IR87"),
}


def written(control_id: str, spelling: str) -> bytes:
    application, facility, more = SPELLINGS[spelling]
    message = adt(control_id, rest=more.decode())
    return message.replace(b"|ADTSYS|NORTHGEN|", b"|%b|%b|" % (application, facility), 1)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_spelling_of_a_bound_sender_from_elsewhere_is_rejected_and_not_stored(
    spelling: str, start: Callable[..., ReceiverWorld]
) -> None:
    world = start(senders=(VICTIM,), unknown_senders="reject")
    with world.connect() as attacker:
        attacker.send(written("X-1", spelling))
        assert b"|AA|" not in attacker.acknowledgement()
    assert world.envelopes() == []
    assert world.objects("events/") == {}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_where_anybody_may_send_a_spelling_has_neither_name_nor_group_nor_event_of_the_victim(
    spelling: str, start: Callable[..., ReceiverWorld]
) -> None:
    """The encounter, the letter and the queue's order go by the sender's name in the envelope."""
    honest = SenderBinding("northgen", "ADTSYS", "NORTHGEN", networks=LOOPBACK)
    world = start(senders=(honest,), unknown_senders="accept")
    with world.connect() as hospital:
        assert hospital.ask(adt("1")) == "AA 1"
    (of_victim,) = sent(world)
    other = start(senders=(VICTIM,), unknown_senders="accept")
    with other.connect() as attacker:
        attacker.send(written("1", spelling))
        attacker.acknowledgement()
    for name, group, event_id in sent(other):
        assert name == "unknown"
        assert group != of_victim[1]
        assert event_id != of_victim[2]


def test_a_bound_sender_cannot_use_the_name_of_another(
    start: Callable[..., ReceiverWorld],
) -> None:
    own = SenderBinding("southgen", "ADTSYS", "SOUTHGEN", networks=LOOPBACK)
    world = start(senders=(own, VICTIM))
    with world.connect() as attacker:
        for number, spelling in enumerate(SPELLINGS):
            attacker.send(written(str(number), spelling))
            assert b"|AA|" not in attacker.acknowledgement()
    assert world.envelopes() == []


def sent(world: ReceiverWorld) -> Iterator[tuple[str, str, str]]:
    """Sender, message group and event id of every message on the queue."""
    while True:
        got = world.clients.sqs.receive_message(
            QueueUrl=world.queue_url, MaxNumberOfMessages=10, AttributeNames=["MessageGroupId"]
        ).get("Messages", [])
        if not got:
            return
        for message in got:
            world.clients.sqs.delete_message(
                QueueUrl=world.queue_url, ReceiptHandle=message["ReceiptHandle"]
            )
            body = json.loads(message["Body"])
            yield body["sender"], message["Attributes"]["MessageGroupId"], body["event_id"]


def certified(issuer: str, **subject: str) -> SenderBinding:
    binding = CertificateBinding(attributes([("CN", issuer)]), attributes(subject.items()))
    return SenderBinding("northgen", "ADTSYS", "NORTHGEN", certificates=(binding,))


def test_a_certificate_whose_common_name_spells_a_whole_subject_is_rejected(
    start: Callable[..., ReceiverWorld], authority: CertificateFolder
) -> None:
    """`CN=adt,O=Northgen` as one common name reads as two attributes where names are texts."""
    world = start(tls=authority.server(), senders=(certified("authority", CN="adt", O="Northgen"),))
    honest = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Northgen"),
            x509.NameAttribute(NameOID.COMMON_NAME, "adt"),
        ]
    )
    with world.connect(tls=authority.client_of(honest)) as hospital:
        assert hospital.ask(adt("1")) == "AA 1"
    for forged in ("adt,O=Northgen", "O=Northgen,CN=adt", "adt/O=Northgen", "adt"):
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, forged)])
        with world.connect(tls=authority.client_of(name)) as attacker:
            assert attacker.ask(adt("2")) == "AR 2"
    assert world.counted("Rejected", reason="sender_not_allowed") == 4


def test_the_same_subject_of_another_trusted_authority_is_rejected(
    start: Callable[..., ReceiverWorld], authority: CertificateFolder, tmp_path: Path
) -> None:
    other = CertificateFolder(tmp_path, "second")
    world = start(
        tls=authority.server(other), senders=(certified("authority", CN="adt.northgen.example"),)
    )
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "adt.northgen.example")])
    forged = other.client_of(name, trusting=authority)
    with world.connect(tls=forged) as attacker:
        assert attacker.ask(adt("1")) == "AR 1"
    with world.connect(tls=authority.client_of(name)) as hospital:
        assert hospital.ask(adt("2")) == "AA 2"


def test_a_stolen_certificate_from_outside_the_network_of_its_sender_is_rejected(
    start: Callable[..., ReceiverWorld], authority: CertificateFolder
) -> None:
    both = certified("authority", CN="adt")
    bound = SenderBinding(
        "northgen", "ADTSYS", "NORTHGEN", networks=ELSEWHERE, certificates=both.certificates
    )
    world = start(tls=authority.server(), senders=(bound,), unknown_senders="reject")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "adt")])
    with world.connect(tls=authority.client_of(name)) as attacker:
        assert attacker.ask(adt("1")) == "AR 1"
