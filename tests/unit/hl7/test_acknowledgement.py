"""Acknowledgements to the byte: codes, modes, echoed fields, ERR by version."""

import re

import pytest

from hl7.acknowledgement import acknowledge
from hl7.header import find_header
from hl7.mllp import Frame, FrameFault
from receiver.intake.rejections import (
    BATCH,
    CUT_OFF,
    MSH_UNREADABLE,
    NO_CONTROL_ID,
    NO_START_BLOCK,
    NOT_HL7,
    OVERSIZE,
    SECOND_MESSAGE,
    UNAVAILABLE,
    UNKNOWN_TRIGGER,
    UNKNOWN_TYPE,
    Rejection,
    Rules,
)
from receiver.intake.sender_table import SenderBinding

SENDER = SenderBinding("northgen", "ADTSYS", "NORTHGEN")

REJECTIONS = [
    NOT_HL7,
    MSH_UNREADABLE,
    NO_START_BLOCK,
    NO_CONTROL_ID,
    UNKNOWN_TYPE,
    UNKNOWN_TRIGGER,
    OVERSIZE,
    CUT_OFF,
    UNAVAILABLE,
]


def message(version: bytes = b"2.5.1", rest: bytes = b"", kind: bytes = b"ADT^A01") -> bytes:
    return (
        b"MSH|^~\\&|ADTSYS^1^ISO|NORTHGEN|HUB|ENS|20261123||"
        + kind
        + b"|NG-1^x|T|"
        + version
        + rest
    )


def answer(sent: bytes, rejection: Rejection | None = None) -> list[bytes]:
    """The segments of the acknowledgement, with its time blanked."""
    reply = acknowledge(find_header(sent), rejection, control_id=b"OWN").message
    assert reply is not None
    assert reply.endswith(b"\r")
    return re.sub(rb"\d{14}\+0000", b"TIME", reply).split(b"\r")[:-1]


def test_a_stored_message_is_accepted_with_the_parties_swapped() -> None:
    assert answer(message()) == [
        b"MSH|^~\\&|HUB|ENS|ADTSYS^1^ISO|NORTHGEN|TIME||ACK^A01^ACK|OWN|T|2.5.1",
        b"MSA|AA|NG-1^x",
    ]


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        (b"2.1", b"ACK"),
        (b"2.2", b"ACK^A01"),
        (b"2.3", b"ACK^A01"),
        (b"2.3.1", b"ACK^A01^ACK"),
        (b"2.8.2", b"ACK^A01^ACK"),
        (b"", b"ACK^A01^ACK"),
        (b"2.5.1^AUS", b"ACK^A01^ACK"),
    ],
)
def test_the_message_type_is_written_as_the_sender_s_version_has_it(
    version: bytes, kind: bytes
) -> None:
    assert answer(message(version))[0].split(b"|")[8] == kind


@pytest.mark.parametrize(
    ("rejection", "new", "old"),
    [
        (
            UNKNOWN_TYPE,
            b"ERR||MSH^1^9^1^1|200^Unsupported message type^HL70357|E|||Only ADT messages are accepted here|Only ADT messages are accepted here",
            b"ERR|MSH^1^9^200&Unsupported message type&HL70357",
        ),
        (
            UNKNOWN_TRIGGER,
            b"ERR||MSH^1^9^1^2|201^Unsupported event code^HL70357|E|||MSH-9.2 is not a trigger event of ADT|MSH-9.2 is not a trigger event of ADT",
            b"ERR|MSH^1^9^201&Unsupported event code&HL70357",
        ),
        (
            NO_CONTROL_ID,
            b"ERR||MSH^1^10|101^Required field missing^HL70357|E|||MSH-10 is empty|MSH-10 is empty",
            b"ERR|MSH^1^10^101&Required field missing&HL70357",
        ),
        (
            UNAVAILABLE,
            b"ERR|||207^Application internal error^HL70357|E|||The message could not be stored and should be sent again|The message could not be stored and should be sent again",
            b"ERR|^^^207&Application internal error&HL70357",
        ),
    ],
)
def test_err_has_the_shape_of_the_sender_s_version(
    rejection: Rejection, new: bytes, old: bytes
) -> None:
    assert answer(message(b"2.5"), rejection)[2] == new
    assert answer(message(b"2.4"), rejection)[2] == old


@pytest.mark.parametrize("rejection", REJECTIONS, ids=lambda rejection: rejection.reason)
def test_every_rejection_has_msa_with_its_code_and_an_err(rejection: Rejection) -> None:
    segments = answer(message(), rejection)
    told = rejection.text.encode()[:80].translate(None, b"|^~\\&")
    assert segments[1] == b"MSA|" + rejection.code.encode() + b"|NG-1^x|" + told
    assert segments[2].startswith(b"ERR|")


@pytest.mark.parametrize("rejection", REJECTIONS, ids=lambda rejection: rejection.reason)
def test_no_rejection_repeats_a_value_outside_the_echoed_header(rejection: Rejection) -> None:
    sent = message() + b"\rPID|1||0042^^^NG||Quill^Zeta\r"
    assert not re.search(rb"0042|Quill|Zeta", b"\r".join(answer(sent, rejection)))


@pytest.mark.parametrize(
    ("commit", "application", "accepted", "refused"),
    [
        (b"", b"", "AA", "AR"),
        (b"AL", b"", "CA", "CR"),
        (b"AL", b"NE", "CA", "CR"),
        (b"AL", b"AL", "CA", "CR"),
        (b"NE", b"NE", None, None),
        (b"NE", b"", None, None),
        (b"NE", b"AL", "AA", "AR"),
        (b"", b"AL", "AA", "AR"),
        (b"", b"NE", None, None),
        (b"ER", b"NE", None, "CR"),
        (b"SU", b"NE", "CA", None),
        (b"ER", b"AL", "AA", "CR"),
        (b"", b"ER", None, "AR"),
        (b"", b"SU", "AA", None),
        (b"XX", b"", "CA", "CR"),
        (b'""', b'""', "AA", "AR"),
        (b'""', b"NE", None, None),
        (b"AL", b'""', "CA", "CR"),
    ],
)
def test_msh_15_and_16_decide_which_answer_is_sent(
    commit: bytes, application: bytes, accepted: str | None, refused: str | None
) -> None:
    header = find_header(message(rest=b"|||" + commit + b"|" + application))
    stored, rejected = acknowledge(header), acknowledge(header, UNAVAILABLE)
    assert (stored.code if stored.message else None) == accepted
    assert (rejected.code if rejected.message else None) == refused
    for one in (stored, rejected):
        assert one.message is None or b"\rMSA|" + one.code.encode() in one.message


@pytest.mark.parametrize(
    ("version", "told"),
    [
        (b"2.1", True),
        (b"2.3", True),
        (b"2.6", True),
        (b"2.7", False),
        (b"2.8.2", False),
        (b"", True),
    ],
)
def test_the_reason_stands_in_msa_3_until_2_6_where_engines_show_it(
    version: bytes, told: bool
) -> None:
    sent = message().replace(b"|2.5.1", b"|" + version)
    (msa,) = (one for one in answer(sent, NO_CONTROL_ID) if one.startswith(b"MSA"))
    assert (msa.split(b"|")[3:] == [b"MSH-10 is empty"]) is told


def test_ae_becomes_ce() -> None:
    assert acknowledge(find_header(message(rest=b"|||AL")), NO_CONTROL_ID).code == "CE"


def test_the_sender_s_own_delimiters_are_used() -> None:
    sent = b"MSH$%*@!$APP$FAC$HUB$ENS$20260101$$ADT%Z99$ID1$P$2.5"
    assert answer(sent, UNKNOWN_TRIGGER) == [
        b"MSH$%*@!$HUB$ENS$APP$FAC$TIME$$ACK%Z99%ACK$OWN$P$2.5",
        b"MSA$AR$ID1$MSH-9.2 is not a trigger event of ADT",
        b"ERR$$MSH%1%9%1%2$201%Unsupported event code%HL70357$E$$$MSH-9.2 is not a trigger event of ADT$MSH-9.2 is not a trigger event of ADT",
    ]


def test_a_truncation_character_is_echoed_and_html_is_not() -> None:
    assert answer(message().replace(b"^~\\&|", b"^~\\&#|", 1))[0].startswith(b"MSH|^~\\&#|HUB")
    assert answer(message().replace(b"^~\\&|", b"^~\\&amp;|", 1))[0].startswith(b"MSH|^~\\&|HUB")


@pytest.mark.parametrize("second", [b"\x0b", b"\x1c", b"\x00", b"a", b" "])
def test_a_byte_that_is_no_delimiter_in_msh_2_does_not_come_back(second: bytes) -> None:
    sent = message().replace(b"^~\\&|", b"^" + second + b"\\&|", 1)
    assert answer(sent)[0].startswith(b"MSH|^~\\&|HUB")


def test_the_character_set_of_echoed_fields_is_echoed() -> None:
    assert answer(message(rest=b"||||||UNICODE UTF-8"))[0].endswith(b"|2.5.1||||||UNICODE UTF-8")


def test_what_has_no_header_gets_a_generic_answer() -> None:
    assert answer(b"hello", NOT_HL7) == [
        b"MSH|^~\\&|HL7-ENS||||TIME||ACK|OWN|P|2.5.1",
        b"MSA|AE||The message does not begin with MSH",
        b"ERR||MSH^1|100^Segment sequence error^HL70357|E|||The message does not begin with MSH|The message does not begin with MSH",
    ]


def test_the_control_id_is_recovered_from_a_damaged_message() -> None:
    damaged = b"\x7f\x7fnoise" + message()
    assert answer(damaged, NOT_HL7)[1].startswith(b"MSA|AE|NG-1^x|")
    without = message().replace(b"^~\\&|", b"|", 1)
    assert answer(without, MSH_UNREADABLE)[1].startswith(b"MSA|AE|NG-1^x|")


def test_framing_bytes_in_an_echoed_field_cannot_end_our_frame() -> None:
    reply = acknowledge(find_header(message().replace(b"NG-1", b"N\x1cG\x0b-1"))).message
    assert reply is not None
    assert b"MSA|AA|NG-1^x" in reply
    assert not {0x0B, 0x1C} & set(reply)


def test_own_control_ids_are_fresh_and_fit_the_oldest_versions() -> None:
    header = find_header(message())
    replies = [acknowledge(header).message or b"" for _ in range(50)]
    own = {reply.split(b"|")[9] for reply in replies}
    assert len(own) == 50
    assert all(len(one) == 20 for one in own)


@pytest.mark.parametrize(
    ("frame", "rejection"),
    [
        (Frame(message()), None),
        (Frame(message(kind=b"ADT^A99")), None),
        (Frame(message(version=b"9.9")), None),
        (Frame(message(kind=b"ADT") + b"\rEVN|A04"), None),
        (Frame(message(), FrameFault.OVERSIZE), OVERSIZE),
        (Frame(message(), FrameFault.CUT_OFF), CUT_OFF),
        (Frame(message(), FrameFault.NO_START_BLOCK), NO_START_BLOCK),
        (Frame(b"xx" + message()), NOT_HL7),
        (Frame(b"FHS|^~\\&|x"), BATCH),
        (Frame(message() + b"\r" + message()), SECOND_MESSAGE),
        (Frame(b"MSH|abcd|x"), MSH_UNREADABLE),
        (Frame(message().replace(b"NG-1^x", b" ")), NO_CONTROL_ID),
        (Frame(message(kind=b"ORU^R01")), UNKNOWN_TYPE),
        (Frame(message(kind=b"")), UNKNOWN_TYPE),
        (Frame(message(kind=b"ADT^R01")), UNKNOWN_TRIGGER),
        (Frame(message(kind=b"ADT")), UNKNOWN_TRIGGER),
    ],
)
def test_a_frame_is_stored_or_rejected_by_the_rules(
    frame: Frame, rejection: Rejection | None
) -> None:
    rules = Rules(frozenset("PTD"))
    assert rules.rejection_of(frame, find_header(frame.message), SENDER) == rejection
