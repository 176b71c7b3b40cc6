"""The reasons for which a frame is rejected, with their acknowledgements. A closed list.

AE means "correct it before you send it again"; AR means "send it again later", or a fault in MSH-9
(HL7 v2, 2.9.2.2). Codes are of HL7 table 0357. The texts are fixed and quote nothing of the message.
"""

import re
from dataclasses import dataclass

from hl7.er7 import MAX_SEGMENTS, has_too_many_segments, holds_second_message
from hl7.header import Header, is_event_code, trigger_event
from hl7.mllp import Fault, Frame
from receiver.intake.sender_table import Origin


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reason, with its acknowledgement code in original mode, its ERR code, location and text."""

    reason: str
    code: str
    error: int
    location: tuple[str, ...]
    text: str


NOT_HL7 = Refusal("not_hl7", "AE", 100, ("MSH", "1"), "The message does not begin with MSH")
MSH_UNREADABLE = Refusal(
    "msh_unreadable", "AE", 102, ("MSH", "1", "2"), "MSH-2 does not name the delimiters"
)
BATCH = Refusal(
    "batch", "AE", 100, (), "Batches (FHS, BHS) are not taken: send one message in a frame"
)
SECOND_MESSAGE = Refusal(
    "second_message", "AE", 100, (), "The frame holds more than one message: send one in a frame"
)
NO_START_BLOCK = Refusal(
    "no_start_block", "AE", 207, (), "The frame does not begin with the start block 0x0B"
)
NO_CONTROL_ID = Refusal("no_control_id", "AE", 101, ("MSH", "1", "10"), "MSH-10 is empty")
UNKNOWN_TYPE = Refusal(
    "unknown_type", "AR", 200, ("MSH", "1", "9", "1", "1"), "Only ADT messages are taken here"
)
UNKNOWN_TRIGGER = Refusal(
    "unknown_trigger", "AR", 201, ("MSH", "1", "9", "1", "2"), "The trigger event is not one of ADT"
)
PROCESSING_ID = Refusal(
    "processing_id", "AR", 202, ("MSH", "1", "11", "1"), "Messages of this kind are not taken here"
)
SENDER_NOT_ALLOWED = Refusal(
    "sender_not_allowed",
    "AR",
    207,
    ("MSH", "1", "3"),
    "This connection may not send as this sender",
)
TRIGGER_NOT_ALLOWED = Refusal(
    "trigger_not_allowed", "AR", 201, ("MSH", "1", "9", "1", "2"), "Not agreed with this sender"
)
TOO_MANY_SEGMENTS = Refusal(
    "too_many_segments", "AR", 207, (), f"The message has more than {MAX_SEGMENTS} segments"
)
OVERSIZE = Refusal("oversize", "AR", 207, (), "The message is longer than the receiver takes")
CUT_OFF = Refusal("cut_off", "AR", 207, (), "The frame did not end")
UNAVAILABLE = Refusal(
    "store_unavailable", "AR", 207, (), "The message could not be stored and should be sent again"
)
RECEIVER_FAULT = Refusal(
    "receiver_fault", "AR", 207, (), "The receiver failed and the message should be sent again"
)

_BATCH = re.compile(rb"[\xef\xbb\xbf\x00 \t\r\n]*(?:FHS|BHS)[!-/:-@\[-`{-~]")

_OF_FAULT = {
    Fault.OVERSIZE: OVERSIZE,
    Fault.CUT_OFF: CUT_OFF,
    Fault.NO_START_BLOCK: NO_START_BLOCK,
}


class Rules:
    """The rules by which a message is rejected: its form, MSH-9, MSH-11, sender and size."""

    def __init__(self, processing_ids: frozenset[str]) -> None:
        self._processing_ids = processing_ids

    def refusal_of(self, frame: Frame, header: Header | None, origin: Origin) -> Refusal | None:
        """Returns the reason to reject this frame's message; None when it is to be stored.

        PID, version and patient are not checked here. A message that can be stored is acknowledged,
        and the workflow handles its faults.
        """
        if frame.fault in _OF_FAULT:
            return _OF_FAULT[frame.fault]
        if header is None or not header.leads:
            return BATCH if _BATCH.match(frame.payload) else NOT_HL7
        trigger = trigger_event(header)
        return (
            self._of_header(header, trigger)
            or self._of_sender(header, trigger, origin)
            or _of_content(header)
        )

    def _of_header(self, header: Header, trigger: str) -> Refusal | None:
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

    def _of_sender(self, header: Header, trigger: str, origin: Origin) -> Refusal | None:
        letterhead = header.letterhead
        sender = origin.sender(letterhead.sending_application, letterhead.sending_facility)
        if sender is None:
            return SENDER_NOT_ALLOWED
        if sender.trigger_events and trigger not in sender.trigger_events:
            return TRIGGER_NOT_ALLOWED
        return None


def _of_content(header: Header) -> Refusal | None:
    if has_too_many_segments(header):
        return TOO_MANY_SEGMENTS
    return SECOND_MESSAGE if holds_second_message(header) else None
