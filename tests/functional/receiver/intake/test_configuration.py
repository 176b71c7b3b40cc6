"""A changed configuration document takes effect while connections stay open; a bad one does not."""

import json
from collections.abc import Callable
from ipaddress import ip_network

import pytest

from receiver.intake.configuration import read_senders
from receiver.intake.sender_table import SenderBinding
from receiver.settings import SettingError
from tests.functional.receiver.world import (
    ReceiverWorld,
    adt,
    configuration_document,
    eventually,
)

LOOPBACK = (ip_network("127.0.0.0/8"),)
NORTHGEN = SenderBinding("northgen", "ADTSYS", "NORTHGEN", networks=LOOPBACK)
SOUTHGEN = SenderBinding("southgen", "ADTSYS", "SOUTHGEN", networks=LOOPBACK)
QUICKLY = {"configuration_seconds": 0.05, "unknown_senders": "reject"}


def from_southgen(control_id: str) -> bytes:
    return adt(control_id).replace(b"|NORTHGEN|", b"|SOUTHGEN|", 1)


def logged(world: ReceiverWorld, message: str) -> bool:
    return any(line.get("message") == message for line in world.logged())


def test_a_new_sender_is_accepted_on_a_connection_that_is_already_open(
    start: Callable[..., ReceiverWorld],
) -> None:
    world = start((NORTHGEN,), **QUICKLY)
    with world.connect() as sender:
        assert sender.ask(from_southgen("1")) == "AR 1"
        world.configure(configuration_document(NORTHGEN, SOUTHGEN))
        assert eventually(lambda: logged(world, "configuration: new document in use"))
        assert sender.ask(from_southgen("2")) == "AA 2"
        assert sender.ask(adt("3")) == "AA 3"
    assert [envelope["sender"] for envelope in world.envelopes()] == ["southgen", "northgen"]
    assert world.counted("ConnectionsOpened") == 1


def test_a_removed_sender_is_rejected_at_its_next_message_and_its_connection_stays(
    start: Callable[..., ReceiverWorld],
) -> None:
    world = start((NORTHGEN, SOUTHGEN), **QUICKLY)
    with world.connect() as sender:
        assert sender.ask(from_southgen("1")) == "AA 1"
        world.configure(configuration_document(NORTHGEN))
        assert eventually(lambda: logged(world, "configuration: new document in use"))
        assert sender.ask(from_southgen("2")) == "AR 2"
        assert sender.ask(adt("3")) == "AA 3"


def test_a_binding_that_is_added_holds_for_connections_that_are_open(
    start: Callable[..., ReceiverWorld],
) -> None:
    world = start((NORTHGEN,), **QUICKLY)
    with world.connect() as sender:
        assert sender.ask(adt("1")) == "AA 1"
        elsewhere = SenderBinding(
            "northgen", "ADTSYS", "NORTHGEN", networks=(ip_network("10.20.0.0/16"),)
        )
        world.configure(configuration_document(elsewhere))
        assert eventually(lambda: logged(world, "configuration: new document in use"))
        assert sender.ask(adt("2")) == "AR 2"


def test_a_message_that_is_being_stored_during_the_change_is_acknowledged(
    start: Callable[..., ReceiverWorld],
) -> None:
    world = start((NORTHGEN,), **QUICKLY)
    with world.connect() as sender:
        with world.faults.hold("PutObject"):
            sender.send(adt("1"))
            world.configure(configuration_document(SOUTHGEN))
            assert eventually(lambda: logged(world, "configuration: new document in use"))
        assert sender.answer() == "AA 1"
        assert sender.ask(adt("2")) == "AR 2"


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{",
        b"[]",
        json.dumps({"version": 2, "environment": "test", "senders": []}).encode(),
        configuration_document(SOUTHGEN, environment="prod"),
        configuration_document(SenderBinding("", "ADTSYS", "SOUTHGEN", networks=LOOPBACK)),
    ],
)
def test_a_document_that_cannot_be_used_leaves_the_one_before_it_and_is_counted(
    document: bytes, start: Callable[..., ReceiverWorld]
) -> None:
    world = start((NORTHGEN,), **QUICKLY)
    with world.connect() as sender:
        assert sender.ask(adt("1")) == "AA 1"
        world.configure(document)
        assert eventually(lambda: world.counted("ConfigurationNotUsed") > 1)
        assert logged(world, "configuration: previous document stays in use")
        assert sender.ask(adt("2")) == "AA 2"
        world.configure(configuration_document(SOUTHGEN))
        assert eventually(lambda: logged(world, "configuration: new document in use"))
        assert sender.ask(from_southgen("3")) == "AA 3"


def test_an_outage_of_s3_leaves_the_senders_as_they_are(
    start: Callable[..., ReceiverWorld],
) -> None:
    world = start((NORTHGEN,), **QUICKLY)
    world.clients.s3.delete_object(Bucket=world.bucket, Key="configuration.json")
    assert eventually(lambda: world.counted("ConfigurationNotUsed") > 0)
    with world.connect() as sender:
        assert sender.ask(adt("1")) == "AA 1"


def test_a_document_that_has_not_changed_is_not_sent_again(
    start: Callable[..., ReceiverWorld],
) -> None:
    world = start((NORTHGEN,), **QUICKLY)
    table = world.server.senders
    assert not eventually(lambda: world.server.senders is not table, seconds=0.5)
    assert not logged(world, "configuration: new document in use")


@pytest.mark.parametrize(
    ("entry", "where"),
    [
        ({}, r"senders\[1\]"),
        ({"name": "x", "sending_application": "A", "sending_facility": 1}, r"senders\[1\]"),
        ({"name": "x", "sending_application": "A"}, r"senders\[1\]"),
        (
            {"name": "x", "sending_application": "A", "sending_facility": "F", "network": []},
            r"senders\[1\] has the unknown key network",
        ),
        ("x", r"senders\[1\]"),
    ],
)
def test_a_wrong_sender_is_told_by_its_place_and_not_by_its_values(
    entry: object, where: str
) -> None:
    good = {"name": "n", "sending_application": "A", "sending_facility": "F"}
    document = {"version": 1, "environment": "test", "senders": [good, entry]}
    with pytest.raises(SettingError, match=where):
        read_senders(json.dumps(document).encode(), "test")


@pytest.mark.parametrize("key", ["networks", "certificates", "trigger_events"])
@pytest.mark.parametrize("value", ["10.0.0.0/8", [1], ["10.0.0.1/8"], None])
def test_a_binding_is_a_list_of_texts(key: str, value: object) -> None:
    if value == ["10.0.0.1/8"] and key != "networks":
        return
    entry = {"name": "n", "sending_application": "A", "sending_facility": "F", key: value}
    document = {"version": 1, "environment": "test", "senders": [entry]}
    with pytest.raises(SettingError, match=r"senders\[0\]"):
        read_senders(json.dumps(document).encode(), "test")
