"""Three invented messages for a deployed environment: a good one, a poison one, a slow one.

They notify nobody (A08 is an update), so that they may be sent to any environment. Their patient
does not exist.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from ops.messages import OutgoingMessage
from ops.trail import EventTrail

NOTES = 2000
NOTE = "The patient rested well. " * 16


class Ending(NamedTuple):
    """How an event is to end: its status, and the error name of a failure."""

    status: str
    error_name: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """One smoke message, its MSH-10, and the endings that are as designed."""

    name: str
    control_id: str
    message: OutgoingMessage
    expected: tuple[Ending, ...]

    def as_expected(self, trail: EventTrail | None) -> bool:
        """Whether the event ended as designed."""
        return trail is not None and Ending(trail.status, trail.error_name) in self.expected


def probes() -> list[Probe]:
    """The three, with fresh control ids: each run makes events of its own.

    The slow one carries about 900 kB of notes; whether that is read or given up for its time is the
    deployment's own limit, so either is as designed, but it has to end.
    """
    run = uuid.uuid4().hex[:10].upper()
    pid = "PID|1||ENS-SMOKE-1^^^ENS-SMOKE^MR||Smoke^Test||19700101|U"
    notes = "\r".join(f"OBX|{n}|TX|NOTE^Note||{NOTE}" for n in range(1, NOTES + 1))
    done = Ending("COMPLETED")
    return [
        _probe("good", f"ENS{run}G", f"{pid}\rPV1|1|O", (done,)),
        _probe("poison", f"ENS{run}P", "PV1|1|O", (Ending("FAILED", "UnprocessableMessageError"),)),
        _probe(
            "slow",
            f"ENS{run}S",
            f"{pid}\rPV1|1|O\r{notes}",
            (
                done,
                Ending("FAILED", "UnprocessableMessageError"),
                Ending("FAILED", "States.Timeout"),
                Ending("FAILED", "Sandbox.Timedout"),
            ),
        ),
    ]


def _probe(name: str, control_id: str, segments: str, expected: tuple[Ending, ...]) -> Probe:
    stamp = datetime.now(UTC).strftime("%Y%m%d%H%M%S+0000")
    # MSH-11 is T, training: no receiver downstream may take it for a live one.
    header = f"MSH|^~\\&|ENS-SMOKE|ENS-SMOKE|HL7-ENS|HL7-ENS|{stamp}||ADT^A08^ADT_A01|{control_id}|T|2.5.1"
    body = f"{header}\rEVN||{stamp}\r{segments}\r".encode("ascii")
    return Probe(name, control_id, OutgoingMessage(name, 1, body), expected)
