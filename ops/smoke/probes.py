"""Three invented messages: a good one that sends a mail, a poison one, a slow one."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from environments import Environment
from lambdas.lookup_identities.smoke import AUTHORITY, SENDER
from ops.messages import OutgoingMessage
from ops.problem import ProblemError
from ops.trail import EventTrail

NOTES = 2000
NOTE = "The patient rested well. " * 16
PROCESSING_IDS = "PTD"


class Ending(NamedTuple):
    """How an event is to end: its status, and the error name of a failure."""

    status: str
    error_name: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """One smoke message, its MSH-10, the endings that are as designed, and whether it sends a mail."""

    name: str
    control_id: str
    message: OutgoingMessage
    expected: tuple[Ending, ...]
    sends_mail: bool = False

    def as_expected(self, trail: EventTrail | None) -> bool:
        """Whether the event ended as designed, its mail delivered."""
        if trail is None or Ending(trail.status, trail.error_name) not in self.expected:
            return False
        return not self.sends_mail or delivered(trail)


def delivered(trail: EventTrail) -> bool:
    """Whether SES has reported that the mail of every recipient was delivered, and there is one."""
    feedback = [{f.outcome for f in recipient.feedback} for recipient in trail.recipients]
    return bool(feedback) and all("delivered" in outcomes for outcomes in feedback)


def new_run() -> str:
    """A fresh id of a run: the patient's identifier and a part of each MSH-10."""
    return uuid.uuid4().hex[:10].upper()


def probes(environment: Environment, run: str) -> list[Probe]:
    """The three of a run, for an environment that knows the smoke sender.

    The slow one carries about 900 kB of notes; whether that is read or given up for its time is the
    deployment's own limit, so either is as designed, but it has to end. MSH-11 is one that the
    environment takes (HL7 table 0103), P where it takes that. Raises `ProblemError` where the
    environment does not name the smoke sender.
    """
    pid = f"PID|1||{run}^^^{AUTHORITY}^MR||Smoke^Test||19700101|U"
    visit = f"PV1|1|I|||||||||||||||||{run}^^^{AUTHORITY}^VN"
    notes = "\r".join(f"OBX|{n}|TX|NOTE^Note||{NOTE}" for n in range(1, NOTES + 1))
    done, unreadable = Ending("COMPLETED"), Ending("FAILED", "UnprocessableMessageError")
    slow = (
        done,
        unreadable,
        Ending("FAILED", "States.Timeout"),
        Ending("FAILED", "Sandbox.Timedout"),
    )
    make = _Maker(environment, run)
    return [
        make.probe("good", "A01", f"{pid}\r{visit}", (done,), sends_mail=True),
        make.probe("poison", "A01", visit, (unreadable,)),
        make.probe("slow", "A08", f"{pid}\r{visit}\r{notes}", slow),
    ]


class _Maker:
    """Writes the messages of one run as the environment's smoke sender."""

    def __init__(self, environment: Environment, run: str) -> None:
        named = [sender for sender in environment.senders if sender.name == SENDER]
        if not named:
            raise ProblemError(
                f"environments/{environment.name}.toml does not name the sender `{SENDER}`:"
                " add it to `senders` and deploy."
            )
        self._sender = named[0]
        allowed = environment.receiver.processing_ids or PROCESSING_IDS
        self._processing_id = next(one for one in PROCESSING_IDS if one in allowed)
        self._run = run

    def probe(
        self,
        name: str,
        trigger: str,
        segments: str,
        expected: tuple[Ending, ...],
        *,
        sends_mail: bool = False,
    ) -> Probe:
        stamp = datetime.now(UTC).strftime("%Y%m%d%H%M%S+0000")
        control_id = f"ENS{self._run}{name[0].upper()}"
        origin = f"{self._sender.sending_application}|{self._sender.sending_facility}"
        header = (
            f"MSH|^~\\&|{origin}|HL7-ENS|HL7-ENS|{stamp}||ADT^{trigger}^ADT_A01|{control_id}"
            f"|{self._processing_id}|2.5.1"
        )
        body = f"{header}\rEVN||{stamp}\r{segments}\r".encode("ascii")
        return Probe(name, control_id, OutgoingMessage(name, 1, body), expected, sends_mail)
