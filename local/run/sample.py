"""The first event of a newcomer: the project's own admission, sent over MLLP and watched to its end."""

from dataclasses import dataclass
from pathlib import Path

from hl7.acknowledgement import ReceivedAcknowledgement
from local.aws.sockets import HOST
from ops.events.trail import EventTrail, TrailSource
from ops.sending import messages
from ops.sending.following import ending
from ops.sending.mllp import ReceiverConnection

ADMISSION = Path(__file__).resolve().parents[2] / "samples" / "admission.hl7"
WATCH_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """The sample's result: its acknowledgement, and its trail (None when it never appeared)."""

    acknowledgement: ReceivedAcknowledgement
    trail: EventTrail | None


def send(mllp_port: int, trails: TrailSource, file: Path = ADMISSION) -> Outcome:
    """Sends the message and waits until its event has ended, a minute at most."""
    message = messages.read(file)[0]
    with ReceiverConnection(HOST, mllp_port, timeout=10) as connection:
        acknowledgement = connection.send(message)
    if not acknowledgement.accepted:
        return Outcome(acknowledgement, None)
    control_id = message.control_id.decode("latin-1")
    return Outcome(acknowledgement, ending(trails, control_id, WATCH_SECONDS))
