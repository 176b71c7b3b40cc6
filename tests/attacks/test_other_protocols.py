"""A web page, a TLS client or another protocol carries an HL7 frame to the receiver's port."""

import http.client
import ssl
import time

import pytest

from hl7.mllp import wrap
from tests.functional.receiver.world import ReceiverWorld, adt, eventually

FRAME = wrap(adt("X-1"))
FIRST_BYTES = {
    "an HTTP POST from a web page": (
        b"POST / HTTP/1.1\r\nHost: receiver\r\nContent-Type: text/plain\r\n\r\n" + FRAME,
        "http",
    ),
    "an HTTP GET": (b"GET /\x0b HTTP/1.1\r\n\r\n" + FRAME, "http"),
    "an HTTP method that begins like a segment": (b"MSEARCH * HTTP/1.1\r\n\r\n" + FRAME, "http"),
    "HTTP/2 with prior knowledge": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + FRAME, "http"),
    "an HTTP method named MSH": (b"MSH|^~\\&|x HTTP/1.1\r\n\r\n" + FRAME, "other"),
    "a TLS ClientHello on the plain port": (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + FRAME,
        "tls",
    ),
    "an HTTP method named MSH behind a byte order mark": (
        b"\xef\xbb\xbfMSH|^~\\&|x HTTP/1.1\r\n\r\n" + FRAME,
        "other",
    ),
    "an untrusted PROXY header": (b"PROXY TCP4 10.7.0.5 10.0.0.9 1 2\r\n" + FRAME, "proxy"),
    "SSH": (b"SSH-2.0-OpenSSH_9.6\r\n" + FRAME, "ssh"),
    "SMTP": (b"EHLO mail.example\r\nDATA\r\n" + FRAME, "http"),
    "a hundred blanks": (b" " * 100 + FRAME, "other"),
}


@pytest.mark.parametrize("attack", FIRST_BYTES)
@pytest.mark.parametrize("size", [1, 7, 100_000], ids=["byte by byte", "in pieces", "at once"])
def test_a_frame_behind_first_bytes_of_another_protocol_is_not_taken_and_the_connection_closed(
    attack: str, size: int, world: ReceiverWorld
) -> None:
    data, _ = FIRST_BYTES[attack]
    with world.connect() as attacker:
        try:
            for at in range(0, len(data), size):
                attacker.raw(data[at : at + size])
                time.sleep(0 if size > 1 else 0.0005)
        except ConnectionError:
            pass  # closed before all was sent
        assert attacker.is_closed()
    assert world.envelopes() == []
    assert world.objects("").keys() == world.objects("configuration").keys()
    assert eventually(lambda: world.counted("NotMllp") == 1)


@pytest.mark.parametrize("attack", FIRST_BYTES)
def test_the_refused_protocol_is_named_in_metric_and_log(attack: str, world: ReceiverWorld) -> None:
    data, protocol = FIRST_BYTES[attack]
    with world.connect() as attacker:
        attacker.raw(data)
        assert attacker.is_closed()
    assert eventually(lambda: world.counted("NotMllp", protocol=protocol) == 1)
    (line,) = (one for one in world.logged() if one.get("why") == "not MLLP")
    assert (line["protocol"], line["peer"]) == (protocol, "127.0.0.1")


def test_a_real_http_client_gets_no_answer_and_stores_nothing(world: ReceiverWorld) -> None:
    client = http.client.HTTPConnection("127.0.0.1", world.mllp_port, timeout=5)
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        client.request("POST", "/", body=FRAME)
        client.getresponse()
    client.close()
    assert world.envelopes() == []


def test_a_real_tls_client_on_the_plain_port_is_closed_at_once(world: ReceiverWorld) -> None:
    began = time.monotonic()
    with world.connect() as attacker, pytest.raises((ssl.SSLError, ConnectionError)):
        ssl.create_default_context().wrap_socket(attacker.socket, server_hostname="receiver")
    assert time.monotonic() - began < 2
    assert eventually(lambda: world.counted("NotMllp", protocol="tls") == 1)


@pytest.mark.parametrize("lead", [b"", b"\r\n", b" \t\r\n\0" * 3, b"\0" * 64, b"\xef\xbb\xbf"])
@pytest.mark.parametrize("size", [1, 1000], ids=["byte by byte", "at once"])
def test_blanks_line_ends_nuls_and_a_byte_order_mark_before_the_first_frame_are_passed_over(
    lead: bytes, size: int, world: ReceiverWorld
) -> None:
    data = lead + wrap(adt("1"))
    with world.connect() as sender:
        for at in range(0, len(data), size):
            sender.raw(data[at : at + size])
        assert sender.answer() == "AA 1"


def test_junk_between_frames_is_passed_over_as_before(world: ReceiverWorld) -> None:
    with world.connect() as sender:
        sender.raw(wrap(adt("1")) + b"GET / HTTP/1.1\r\n" + wrap(adt("2")))
        assert [sender.answer(), sender.answer()] == ["AA 1", "AA 2"]


def test_a_message_without_its_start_block_gets_its_reason(world: ReceiverWorld) -> None:
    with world.connect() as sender:
        sender.raw(adt("1") + b"\x1c\r")
        assert sender.answer() == "AE 1"
