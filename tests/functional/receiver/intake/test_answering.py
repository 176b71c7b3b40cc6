"""Every frame gets exactly one answer, in the order of arrival; rejected bytes are stored."""

import socket
import threading
import time
from collections.abc import Callable

import pytest

from hl7.header import find_header
from hl7.mllp import wrap
from tests.functional.receiver.world import ReceiverWorld, adt, eventually

REJECTED = {
    "not_hl7": (wrap(b"hello"), "AE ", b"hello"),
    "batch": (wrap(b"FHS|^~\\&|ADTSYS"), "AE ", b"FHS|^~\\&|ADTSYS"),
    "second_message": (wrap(adt() + adt("NG-8")), "AE NG-1", adt() + adt("NG-8")),
    "msh_unreadable": (
        wrap(b"MSH|abcd|ADTSYS|NORTHGEN|||||ADT^A01|NG-7|P|2.3\r"),
        "AE NG-7",
        b"MSH|abcd|ADTSYS|NORTHGEN|||||ADT^A01|NG-7|P|2.3\r",
    ),
    "no_control_id": (wrap(adt("")), "AE ", adt("")),
    "unknown_type": (wrap(adt(kind="ORU^R01")), "AR NG-1", adt(kind="ORU^R01")),
    "unknown_trigger": (wrap(adt(kind="ADT^XYZ")), "AR NG-1", adt(kind="ADT^XYZ")),
    "no_start_block": (wrap(adt())[1:], "AE NG-1", adt()),
    "commit mode": (
        wrap(adt(kind="ORU^R01", rest="|||AL|NE")),
        "CR NG-1",
        adt(kind="ORU^R01", rest="|||AL|NE"),
    ),
}


@pytest.mark.parametrize(("sent", "answer", "kept"), REJECTED.values(), ids=REJECTED.keys())
def test_a_rejected_message_is_answered_and_stored(
    world: ReceiverWorld, sent: bytes, answer: str, kept: bytes
) -> None:
    with world.connect() as sender:
        sender.raw(sent)
        assert sender.answer() == answer
        assert sender.ask(adt("NG-2")) == "AA NG-2", "the connection goes on"
    assert list(world.objects("rejected/").values()) == [kept]


def test_a_rejected_message_is_stored_with_reason_and_origin_and_no_text(
    world: ReceiverWorld,
) -> None:
    with world.connect() as sender:
        assert sender.ask(adt(kind="ORU^R01")) == "AR NG-1"
    (key,) = (key.partition("@")[0] for key in world.objects("rejected/"))
    head = world.clients.s3.head_object(Bucket=world.bucket, Key=key)
    line = next(line for line in world.logged() if line.get("message") == "message rejected")
    assert head["Metadata"] == {
        "reason": "unknown_type",
        "receiver": "r1",
        "connection": line["connection"],
        "peer": "127.0.0.1",
    }
    assert (line["reason"], line["key"]) == ("unknown_type", key)
    assert world.counted("Rejected", reason="unknown_type") == 1


def test_a_rejected_message_that_cannot_be_stored_is_still_answered_and_counted(
    world: ReceiverWorld,
) -> None:
    world.faults.fail("PutObject")
    with world.connect() as sender:
        assert sender.ask(adt(kind="ORU^R01")) == "AR NG-1"
    assert world.counted("RejectedNotStored") == 1


def test_an_empty_frame_is_counted_and_has_no_answer(world: ReceiverWorld) -> None:
    with world.connect() as sender:
        sender.raw(wrap(b""))
        assert sender.ask(adt()) == "AA NG-1"
    assert (world.counted("EmptyFrames"), world.counted("Received")) == (1, 1)
    assert world.objects("rejected/") == {}


def test_an_acknowledgement_can_be_read_like_any_message(world: ReceiverWorld) -> None:
    with world.connect() as sender:
        sender.send(adt())
        header = find_header(sender.acknowledgement())
    assert header is not None
    assert header.letterhead.value(9) == b"ACK^A01^ACK"
    assert header.letterhead.value(11) == b"P"
    assert (header.letterhead.value(3), header.letterhead.value(5)) == (b"HUB", b"ADTSYS")


def test_who_asks_for_no_answer_gets_none_and_is_stored(world: ReceiverWorld) -> None:
    with world.connect() as sender:
        sender.send(adt(rest="|||NE|NE"), adt("NG-2"))
        assert sender.answer() == "AA NG-2"
    assert len(world.envelopes()) == 2


def test_every_frame_of_a_mixed_stream_has_one_answer_in_its_place(world: ReceiverWorld) -> None:
    stream = [sent for sent, _, _ in REJECTED.values()]
    expected = [answer for _, answer, _ in REJECTED.values()]
    for number in range(6):
        stream.insert(number * 2, wrap(adt(f"OK-{number}")))
        expected.insert(number * 2, f"AA OK-{number}")
    with world.connect() as sender:
        sender.raw(b"".join(stream))
        assert [sender.answer() for _ in expected] == expected
        assert sender.is_silent()


def test_pipelined_messages_are_answered_in_order_though_the_first_is_stored_last(
    start: Callable[..., ReceiverWorld],
) -> None:
    world = start(max_in_flight=4)
    calls = []

    def the_first_is_slow() -> None:
        calls.append(1)
        if len(calls) == 1:
            time.sleep(0.3)

    world.faults.before["PutObject"] = the_first_is_slow
    with world.connect() as sender:
        sender.send(*(adt(f"P-{n}", patient=f"00{n}") for n in range(30)))
        assert [sender.answer() for _ in range(30)] == [f"AA P-{n}" for n in range(30)]


def test_no_more_than_the_limit_is_in_flight_at_once(start: Callable[..., ReceiverWorld]) -> None:
    world = start(max_in_flight=3)
    inside, most, lock = 0, 0, threading.Lock()

    def count() -> None:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        time.sleep(0.02)
        with lock:
            inside -= 1

    world.faults.before["PutObject"] = count
    with world.connect() as sender:
        sender.send(*(adt(f"P-{n}") for n in range(12)))
        assert [sender.answer()[:2] for _ in range(12)] == ["AA"] * 12
    assert most == 3


def test_one_patient_s_pipelined_messages_reach_the_queue_in_order(world: ReceiverWorld) -> None:
    delays = [0.2, 0.1, 0.0, 0.05]
    world.faults.before["PutObject"] = lambda: time.sleep(delays.pop(0) if delays else 0)
    with world.connect() as sender:
        sender.send(*(adt(f"P-{n}") for n in range(4)))
        assert [sender.answer() for _ in range(4)] == [f"AA P-{n}" for n in range(4)]
        vaulted = {key.split("/")[1]: body for key, body in world.objects("events/").items()}
    order = [vaulted[envelope["event_id"]] for envelope in world.envelopes()]
    assert order == [adt(f"P-{n}") for n in range(4)]


def test_a_message_behind_a_failed_one_of_the_same_patient_is_rejected_too(
    start: Callable[..., ReceiverWorld],
) -> None:
    world = start(store_connections=1)  # so that the first envelope sent is the first message's
    calls = []

    def the_first_fails() -> None:
        calls.append(1)
        if len(calls) == 1:
            time.sleep(0.1)
            raise ConnectionAbortedError

    world.faults.before["SendMessageBatch"] = the_first_fails
    with world.connect() as sender:
        sender.send(adt("P-1"), adt("P-2"), adt("P-3", patient="0099"))
        assert sender.answer() == "AR P-1"
        assert sender.answer() == "AR P-2"
        assert sender.answer() == "AA P-3"
        assert sender.ask(adt("P-1")) == "AA P-1"
        assert sender.ask(adt("P-2")) == "AA P-2"


def test_an_aborted_frame_is_kept_and_only_the_new_one_is_answered(world: ReceiverWorld) -> None:
    with world.connect() as sender:
        sender.raw(b"\x0b" + adt("OLD")[:60] + wrap(adt("NEW")))
        assert sender.answer() == "AA NEW"
        assert sender.is_silent()
    assert eventually(lambda: list(world.objects("rejected/").values()) == [adt("OLD")[:60]])


def test_what_is_sent_before_a_half_close_is_answered(world: ReceiverWorld) -> None:
    with world.connect() as sender:
        sender.send(adt("A"), adt("B"))
        sender.socket.shutdown(socket.SHUT_WR)
        assert [sender.answer(), sender.answer()] == ["AA A", "AA B"]
        assert sender.is_closed()


def test_a_frame_cut_off_by_a_half_close_is_rejected(world: ReceiverWorld) -> None:
    with world.connect() as sender:
        sender.raw(b"\x0b" + adt("CUT"))
        sender.socket.shutdown(socket.SHUT_WR)
        assert sender.answer() == "AR CUT"
        assert sender.is_closed()


def test_a_missing_cr_behind_the_last_frame_keeps_nobody_waiting(
    start: Callable[..., ReceiverWorld],
) -> None:
    world = start(end_block_seconds=0.1)
    with world.connect() as sender:
        sender.raw(wrap(adt("A"))[:-1])
        assert sender.answer() == "AA A"
        sender.raw(wrap(adt("B").rstrip(b"\r"))[:-1])
        assert sender.answer() == "AA B"
        sender.raw(b"\r" + wrap(adt("C")))
        assert sender.answer() == "AA C"


def test_junk_between_frames_is_counted_and_told_when_the_connection_closes(
    world: ReceiverWorld,
) -> None:
    with world.connect() as sender:
        sender.raw(b"\x00\r\n" + wrap(adt()) + b"~~~~" + wrap(adt("NG-2")))
        assert [sender.answer(), sender.answer()] == ["AA NG-1", "AA NG-2"]
    assert eventually(lambda: world.counted("JunkBytes") == 4)
    (line,) = (line for line in world.logged() if line.get("message") == "connection closed")
    assert (line["separator_bytes"], line["junk_bytes"], line["frames"], line["answers"]) == (
        3,
        4,
        2,
        2,
    )


def test_a_health_check_that_only_connects_is_not_logged(world: ReceiverWorld) -> None:
    world.connect().socket.close()
    assert eventually(lambda: world.server.open_connections == 0)
    assert not [line for line in world.logged() if "message" in line]
