"""Every way through the intake ends in exactly one answer, and AA only behind a confirmed store."""

import asyncio
import io
import itertools
import os
from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hl7.er7 import MAX_SEGMENTS
from hl7.header import find_header
from hl7.mllp import Decoder, Frame, FrameFault, wrap
from receiver.errors import StoreUnavailableError
from receiver.intake import intake as module
from receiver.intake.intake import Intake
from receiver.intake.reference_key import ReferenceKey
from receiver.intake.sender_table import Origin
from receiver.settings import ReceiverSettings
from receiver.storage.store import IncomingMessage, Store, StoredMessage
from receiver.storage.turns import Turns
from receiver.telemetry.log import Log
from receiver.telemetry.metrics import Metrics

LIMITS = ReceiverSettings(
    *("test", "vault", "queue", "key", "configuration", "configuration.json", "r1"),
    store_seconds=0.05,
)
PLAIN = Origin("c")
OTHER_SENDER = Origin("c", "192.0.2.1", {}, strict=True)


def adt(*, rest: str = "", kind: str = "ADT^A01", control_id: str = "NG-1") -> bytes:
    return (
        f"MSH|^~\\&|ADTSYS|NORTHGEN|HUB|ENS|20261123091502||{kind}|{control_id}|P|2.5.1{rest}\r"
        "PID|1||0042^^^NORTHGEN^MR\r"
    ).encode()


class FakeStore:
    """Confirms, unless a call of that name has a fault; counts what it confirmed."""

    def __init__(self, **faults: Callable[[], None]) -> None:
        self.faults = faults
        self.confirmed = 0
        self.hang = ""

    async def put_message(self, message: IncomingMessage) -> StoredMessage:
        await self._meet("put")
        return StoredMessage("key", "v1", "0" * 64, len(message.er7))

    async def send_envelope(self, message: IncomingMessage, stored: StoredMessage) -> None:
        await self._meet("send")
        self.confirmed += 1

    async def put_rejected(self, content: bytes, reason: str, connection: str, peer: str) -> str:
        await self._meet("keep")
        return "rejected/x"

    async def _meet(self, name: str) -> None:
        if self.hang == name:
            await asyncio.sleep(1)
        self.faults.get(name, lambda: None)()


def make(store: FakeStore) -> Intake:
    log = Log(io.StringIO())
    return Intake(LIMITS, cast(Store, store), ReferenceKey("k1", b"key"), Metrics("t", log), log)


def answer(store: FakeStore, frame: Frame, origin: Origin = PLAIN) -> bytes | None:
    return asyncio.run(make(store).answer(frame, origin, Turns()))


def code(message: bytes | None) -> str:
    assert message is not None
    assert message.count(b"\rMSA|") == 1
    assert message.startswith(b"MSH|")
    return message.split(b"\rMSA|", 1)[1].split(b"|", 1)[0].split(b"\r")[0].decode()


def unavailable() -> None:
    raise StoreUnavailableError("down")


def bug() -> None:
    raise ZeroDivisionError("Quillfeather")


EXITS: dict[str, tuple[FakeStore, Frame, Origin, str]] = {
    "stored": (FakeStore(), Frame(adt()), Origin("c"), "AA"),
    "not HL7": (FakeStore(), Frame(b"hello"), Origin("c"), "AE"),
    "two messages": (FakeStore(), Frame(adt() + adt(control_id="NG-2")), Origin("c"), "AE"),
    "batch": (FakeStore(), Frame(b"FHS|^~\\&|A\rBHS|^~\\&|A\r" + adt()), Origin("c"), "AE"),
    "no control id": (FakeStore(), Frame(adt(control_id="")), Origin("c"), "AE"),
    "another type": (FakeStore(), Frame(adt(kind="ORU^R01")), Origin("c"), "AR"),
    "another trigger": (FakeStore(), Frame(adt(kind="ADT^X")), Origin("c"), "AR"),
    "not this sender": (FakeStore(), Frame(adt()), OTHER_SENDER, "AR"),
    "many segments": (FakeStore(), Frame(adt() + b"NTE|1\r" * MAX_SEGMENTS), Origin("c"), "AR"),
    "oversize": (FakeStore(), Frame(adt(), FrameFault.OVERSIZE), Origin("c"), "AR"),
    "cut off": (FakeStore(), Frame(adt(), FrameFault.CUT_OFF), Origin("c"), "AR"),
    "no start block": (FakeStore(), Frame(adt(), FrameFault.NO_START_BLOCK), Origin("c"), "AE"),
    "S3 down": (FakeStore(put=unavailable), Frame(adt()), Origin("c"), "AR"),
    "SQS down": (FakeStore(send=unavailable), Frame(adt()), Origin("c"), "AR"),
    "bug at S3": (FakeStore(put=bug), Frame(adt()), Origin("c"), "AR"),
    "bug at SQS": (FakeStore(send=bug), Frame(adt()), Origin("c"), "AR"),
    "rejected, not stored": (FakeStore(keep=unavailable), Frame(b"hello"), Origin("c"), "AE"),
    "rejected, bug": (FakeStore(keep=bug), Frame(adt(kind="ORU^R01")), Origin("c"), "AR"),
}


@pytest.mark.parametrize(("store", "frame", "origin", "expected"), EXITS.values(), ids=EXITS.keys())
def test_every_exit_gives_one_answer_and_aa_only_for_what_is_stored(
    store: FakeStore, frame: Frame, origin: Origin, expected: str
) -> None:
    before = store.confirmed
    assert code(answer(store, frame, origin)) == expected
    assert (store.confirmed > before) == (expected == "AA")


@pytest.mark.parametrize("name", ["put", "send", "keep"])
def test_a_store_that_hangs_is_answered_for(name: str) -> None:
    store = FakeStore()
    store.hang = name
    frame = Frame(adt() if name != "keep" else b"hello")
    assert code(answer(store, frame)) == ("AE" if name == "keep" else "AR")
    assert store.confirmed == 0


@pytest.mark.parametrize("place", ["find_header", "event_id", "patient_identifier"])
def test_a_fault_of_ours_anywhere_is_answered_with_ar(
    monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setattr(module, place, lambda *_: bug())
    store = FakeStore()
    assert code(answer(store, Frame(adt()))) == "AR"
    assert store.confirmed == 0


@pytest.mark.parametrize("payload", [b"", b"\r", b"\r\n", b" \x00"])
def test_an_empty_frame_is_a_sign_of_life_and_has_no_answer(payload: bytes) -> None:
    store = FakeStore()
    assert answer(store, Frame(payload)) is None
    assert store.confirmed == 0


def test_an_aborted_frame_has_its_answer_in_that_of_the_frame_that_came_instead() -> None:
    assert answer(FakeStore(), Frame(adt(), FrameFault.ABORTED)) is None


@pytest.mark.parametrize(
    ("commit", "application"), itertools.product(["", "AL", "NE", "ER", "SU", "??"], repeat=2)
)
@pytest.mark.parametrize("stored", [True, False])
def test_silence_is_kept_only_where_msh_15_and_msh_16_ask_for_it(
    commit: str, application: str, stored: bool
) -> None:
    store = FakeStore() if stored else FakeStore(put=unavailable)
    found = answer(store, Frame(adt(rest=f"|||{commit}|{application}")))

    def wants(condition: str) -> bool:
        return condition not in ("NE", "ER" if stored else "SU")

    original = not commit and not application
    if original or (application and wants(application) and not (commit and wants(commit))):
        assert code(found) == ("AA" if stored else "AR")
    elif commit and wants(commit):
        assert code(found) == ("CA" if stored else "CR")
    else:
        assert found is None


# Delimiters at their worst, framing bytes and letters among them.
letters = st.lists(st.sampled_from(list(b"|^~\\&#\x0b\x1c\x00aA")), min_size=1, max_size=6)
delimiters = letters.map(lambda few: adt().replace(b"|^~\\&|", bytes(few), 1))
piece = st.one_of(
    st.binary(max_size=40),
    delimiters.map(wrap),
    st.sampled_from(
        [
            *(b"\x0b", b"\x1c\r", b"\x1c", b"\r", b"MSH", b"MSH|^~\\&|", b"|", b"^", b"\x00", b"~"),
            *(adt(), wrap(adt()), wrap(b"hello"), wrap(b"MSH|"), wrap(b""), adt(rest="|||NE|NE")),
            *(wrap(adt(kind="ORU^R01")), b"MSH$%!#@$", b"\xff\xfe", b"A" * 300),
        ]
    ),
)


@settings(
    max_examples=int(os.environ.get("ENS_FUZZ_EXAMPLES", "1000")),
    suppress_health_check=list(HealthCheck),
)
@given(st.lists(piece, max_size=25))
@example([b"MSH", b"!:", b"\x0b"])
def test_whatever_comes_is_answered_and_never_held_beyond_the_limit(reads: list[bytes]) -> None:
    limit = 256
    decoder, store = Decoder(limit), FakeStore()
    frames: list[Frame] = []
    for read in reads:
        frames += decoder.feed(read)
        assert len(vars(decoder)["_buffer"]) <= limit + len(read) + 4
    frames += decoder.end()

    async def answers() -> list[Any]:
        intake, turns = make(store), Turns()
        return [await intake.answer(frame, Origin("c"), turns) for frame in frames]

    for frame, message in zip(frames, asyncio.run(answers()), strict=True):
        assert len(frame.message) <= limit
        if message is None:
            header = find_header(frame.message)
            asked = header is not None and (
                header.letterhead.value(15) or header.letterhead.value(16)
            )
            is_sign_of_life = frame.fault is None and not frame.message.strip(module.EMPTY)
            assert frame.fault is FrameFault.ABORTED or asked or is_sign_of_life
        else:
            assert message.startswith(b"MSH")
            assert not set(message) & {0x0B, 0x1C}
            assert Decoder(1 << 16).feed(wrap(message)) == [Frame(message)]
