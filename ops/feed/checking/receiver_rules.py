"""Applies the receiver's rules to a feed's messages: would each be acknowledged or rejected, and why.

The rules are the receiver's own (receiver/intake/rejections.py).
"""

from dataclasses import dataclass

from environments import Environment, Sender
from hl7.header import Header, find_header
from hl7.identity import event_id
from hl7.mllp import Frame, FrameFault
from ops.feed.reading.cutting import CutMessage
from receiver.intake.rejections import Rules, accepted_processing_ids
from receiver.intake.sender_table import Origin, SenderBinding

ABORTED = "aborted"
ACKNOWLEDGEMENT = "ACK"


@dataclass(frozen=True, slots=True)
class ReceiverVerdict:
    """The message's header, and the receiver's reason to reject it ("" where it is accepted).

    `event_id` is the same for every copy of a message. `text` is ERR-8 of the answer.
    """

    header: Header | None
    reason: str = ""
    text: str = ""
    event_id: str = ""

    @property
    def is_acknowledgement(self) -> bool:
        """Whether it is an answer: a capture of a connection holds both directions."""
        return self.header is not None and self.header.letterhead.message_type == ACKNOWLEDGEMENT


class ReceiverRules:
    """The receiver of an environment, as a connection that belongs to one sender meets it.

    Without `sender`, a message of any MSH-3 and MSH-4 is accepted: the sender's file is not written yet.
    """

    def __init__(self, environment: Environment, sender: Sender | None) -> None:
        chosen = environment.receiver.processing_ids
        self._rules = Rules(accepted_processing_ids(environment.name, chosen))
        allowed: dict[tuple[str, str], SenderBinding | None] = {}
        if sender:
            named = sender.sending_application, sender.sending_facility
            triggers = frozenset(sender.trigger_events)
            allowed[named] = SenderBinding(sender.name, *named, trigger_events=triggers)
        self._origin = Origin("", allowed=allowed, strict=sender is not None)

    def check(self, piece: CutMessage) -> ReceiverVerdict:
        """The receiver's verdict about one message."""
        header = find_header(piece.message)
        if piece.fault is FrameFault.ABORTED:
            return ReceiverVerdict(header, ABORTED, "Another frame begins inside this frame")
        sender = self._origin.sender_of(header)
        rejection = self._rules.rejection_of(Frame(piece.message, piece.fault), header, sender)
        if rejection:
            return ReceiverVerdict(header, rejection.reason, rejection.text)
        event = event_id(header, sender.name) if header and sender else ""
        return ReceiverVerdict(header, event_id=event)
