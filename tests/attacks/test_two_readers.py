"""A character set makes receiver and parser read different headers of the same bytes."""

from collections.abc import Callable
from ipaddress import ip_network

import pytest

from receiver.intake.sender_table import SenderBinding
from tests.functional.receiver.world import ReceiverWorld, adt

LOOPBACK = (ip_network("127.0.0.0/8"),)
SETS = [
    "CP936",
    "WINDOWS-949",
    "GB 18030-2000",
    "BIG-5",
    "SJIS",
    "GBK",
    "ISO IR87",
    "UNICODE UTF-16",
]
SWALLOWED = [b"\x81", b"\xb0", b"\x83", b"\xfe", b"\x1b$B", b"\x81\x30"]


@pytest.mark.parametrize("declared", SETS)
@pytest.mark.parametrize("lead", SWALLOWED)
def test_a_swallowed_delimiter_gets_no_trigger_event_past_the_sender_s_list(
    declared: str, lead: bytes, start: Callable[..., ReceiverWorld]
) -> None:
    """MSH-9 moves by one field for the reader that takes the lead byte and the delimiter together."""
    bound = SenderBinding(
        "northgen", "ADTSYS", "NORTHGEN", networks=LOOPBACK, trigger_events=frozenset({"A01"})
    )
    world = start(senders=(bound,), unknown_senders="reject")
    hostile = adt("1", rest=f"||||||{declared}").replace(
        b"|HUB|ENS|", b"|HUB%b|ENS||2026||ADT^A40|" % lead
    )
    with world.connect() as attacker:
        attacker.send(hostile)
        assert b"|AA|" not in attacker.acknowledgement()
    assert world.envelopes() == []


@pytest.mark.parametrize("declared", SETS[:-1])
def test_a_header_outside_ascii_in_a_multi_byte_set_is_rejected_with_its_reason(
    declared: str, world: ReceiverWorld
) -> None:
    text = {"BIG-5": "許", "GB 18030-2000": "乃", "WINDOWS-949": "김"}.get(declared, "山")
    codec = {
        "CP936": "gbk",
        "WINDOWS-949": "cp949",
        "GB 18030-2000": "gb18030",
        "BIG-5": "big5",
        "SJIS": "cp932",
        "GBK": "gbk",
        "ISO IR87": "iso2022_jp",
    }[declared]
    message = adt("1", rest=f"||||||{declared}").decode().replace("|HUB|", f"|{text}|")
    with world.connect() as sender:
        sender.send(message.encode(codec))
        answer = sender.acknowledgement()
    assert b"MSA|AE|" in answer
    assert world.counted("Rejected", reason="msh_unreadable") == 1


@pytest.mark.parametrize(
    ("declared", "codec", "name"),
    [("SJIS", "cp932", "ソ"), ("GB 18030-2000", "gb18030", "乃"), ("BIG-5", "big5", "許")],
)
def test_such_a_character_behind_the_header_is_a_character(
    declared: str, codec: str, name: str, world: ReceiverWorld
) -> None:
    message = adt("1", rest=f"||||||{declared}").decode().replace("Quillfeather", name)
    with world.connect() as sender:
        sender.send(message.encode(codec))
        assert sender.answer() == "AA 1"
