"""The closed list of reasons for which a frame is rejected, and the rules that choose one.

AE asks the sender to correct the message before it sends it again. AR asks it to send the message again
later, or reports MSH-9 or MSH-11 (HL7 v2.5.1, 2.9.2.2). Error codes are those of HL7 table 0357. The
texts are constants: they quote nothing of the message.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from hl7.er7 import (
    MAX_ESCAPES,
    MAX_SEGMENTS,
    has_too_many_escapes,
    has_too_many_segments,
    holds_second_message,
)
from hl7.header import MAX_MSH_BYTES, Header
from hl7.identity import is_event_code, trigger_event
from hl7.mllp import Frame, FrameFault
from receiver.intake.sender_table import SenderBinding


@dataclass(frozen=True, slots=True)
class Rejection:
    """A reason and its acknowledgement: MSA-1 in original mode, ERR-3, ERR-2 and ERR-8."""

    reason: str
    code: str
    error: int
    location: tuple[str, ...]
    text: str


_AT_MSH = ("MSH", "1")
_AT_TYPE, _AT_TRIGGER = ("MSH", "1", "9", "1", "1"), ("MSH", "1", "9", "1", "2")

NOT_HL7 = Rejection("not_hl7", "AE", 100, _AT_MSH, "The message does not begin with MSH")
MSH_UNREADABLE = Rejection(
    "msh_unreadable", "AE", 102, ("MSH", "1", "2"), "MSH-2 does not name the delimiters"
)
MSH_TOO_LONG = Rejection(
    "msh_unreadable", "AE", 102, _AT_MSH, f"The MSH segment has more than {MAX_MSH_BYTES} bytes"
)
MSH_NOT_ASCII = Rejection(
    "msh_unreadable",
    "AE",
    102,
    _AT_MSH,
    "MSH must be ASCII in a message with a multi-byte character set (MSH-18)",
)
BATCH = Rejection(
    "batch", "AE", 100, (), "Batches (FHS, BHS) are not accepted: send one message in a frame"
)
SECOND_MESSAGE = Rejection(
    "second_message", "AE", 100, (), "The frame holds more than one message: send one in a frame"
)
NO_START_BLOCK = Rejection(
    "no_start_block", "AE", 207, (), "The frame does not begin with the start block 0x0B"
)
NO_CONTROL_ID = Rejection("no_control_id", "AE", 101, ("MSH", "1", "10"), "MSH-10 is empty")
UNKNOWN_TYPE = Rejection("unknown_type", "AR", 200, _AT_TYPE, "Only ADT messages are accepted here")
UNKNOWN_TRIGGER = Rejection(
    "unknown_trigger", "AR", 201, _AT_TRIGGER, "MSH-9.2 is not a trigger event of ADT"
)
PROCESSING_ID = Rejection(
    "processing_id", "AR", 202, ("MSH", "1", "11", "1"), "This processing id is not accepted here"
)
SENDER_NOT_ALLOWED = Rejection(
    "sender_not_allowed",
    "AR",
    207,
    ("MSH", "1", "3"),
    "This connection may not send as this sender",
)
TRIGGER_NOT_ALLOWED = Rejection(
    "trigger_not_allowed", "AR", 201, _AT_TRIGGER, "This sender may not send this trigger event"
)
TOO_MANY_SEGMENTS = Rejection(
    "too_many_segments", "AR", 207, (), f"The message has more than {MAX_SEGMENTS} segments"
)
TOO_MANY_ESCAPES = Rejection(
    "too_many_segments", "AR", 207, (), f"The message has more than {MAX_ESCAPES} escape characters"
)
OVERSIZE = Rejection("oversize", "AR", 207, (), "The message is longer than the receiver accepts")
CUT_OFF = Rejection("cut_off", "AR", 207, (), "The frame has no end block")
NO_ROOM = Rejection(
    "no_room",
    "AR",
    207,
    (),
    "The receiver has no memory left for this message: send it again later",
)
UNAVAILABLE = Rejection(
    "store_unavailable", "AR", 207, (), "The message could not be stored and should be sent again"
)
RECEIVER_FAULT = Rejection(
    "receiver_fault", "AR", 207, (), "The receiver failed and the message should be sent again"
)

_BATCH = re.compile(rb"[\xef\xbb\xbf\x00 \t\r\n]*(?:FHS|BHS)[!-/:-@\[-`{-~]")

_OF_FAULT = {
    FrameFault.OVERSIZE: OVERSIZE,
    FrameFault.CUT_OFF: CUT_OFF,
    FrameFault.NO_ROOM: NO_ROOM,
    FrameFault.NO_START_BLOCK: NO_START_BLOCK,
}


PROCESSING_IDS = frozenset("PTD")
"""Production, training and debugging (HL7 table 0103)."""


def accepted_processing_ids(environment: str, chosen: Collection[str]) -> frozenset[str]:
    """Returns the accepted MSH-11: those chosen, else P alone in `prod`, and P, T and D elsewhere."""
    return frozenset(chosen) or (frozenset("P") if environment == "prod" else PROCESSING_IDS)


class Rules:
    """Checks form, MSH-9, MSH-11, sender and size of a message. `processing_ids` are the accepted MSH-11."""

    def __init__(self, processing_ids: frozenset[str]) -> None:
        self._processing_ids = processing_ids

    def rejection_of(
        self, frame: Frame, header: Header | None, sender: SenderBinding | None
    ) -> Rejection | None:
        """Returns the reason to reject this frame's message, None when it is to be stored.

        `sender` is the authenticated one; None when the connection may not use MSH-3 and MSH-4. PID,
        version and patient are not checked here: a message that can be stored is acknowledged, and the
        workflow handles its faults.
        """
        if frame.fault in _OF_FAULT:
            return _OF_FAULT[frame.fault]
        if header is None or not header.leads:
            return BATCH if _BATCH.match(frame.message) else NOT_HL7
        if header.is_too_long or header.has_two_readings:
            return MSH_TOO_LONG if header.is_too_long else MSH_NOT_ASCII
        trigger = trigger_event(header)
        of_header = self._of_header(header, trigger)
        return of_header or _of_sender(trigger, sender) or _of_content(header)

    def _of_header(self, header: Header, trigger: str) -> Rejection | None:
        letterhead = header.letterhead
        if not letterhead.readable:
            return MSH_UNREADABLE
        if not header.control_id.strip():
            return NO_CONTROL_ID
        if letterhead.message_type != "ADT":
            return UNKNOWN_TYPE
        if not is_event_code(trigger):
            return UNKNOWN_TRIGGER
        # An empty MSH-11 is accepted: senders of HL7 2.1 leave it out.
        if letterhead.processing_id and letterhead.processing_id not in self._processing_ids:
            return PROCESSING_ID
        return None


def _of_sender(trigger: str, sender: SenderBinding | None) -> Rejection | None:
    if sender is None:
        return SENDER_NOT_ALLOWED
    if sender.trigger_events and trigger not in sender.trigger_events:
        return TRIGGER_NOT_ALLOWED
    return None


def _of_content(header: Header) -> Rejection | None:
    if has_too_many_segments(header):
        return TOO_MANY_SEGMENTS
    if has_too_many_escapes(header):
        return TOO_MANY_ESCAPES
    return SECOND_MESSAGE if holds_second_message(header) else None
