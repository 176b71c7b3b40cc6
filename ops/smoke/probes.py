"""Builds the three smoke messages: a good one that causes a mail, a poison one, a slow one."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from environments import Environment
from lambdas.common.contracts.workflow.status import EventStatus
from lambdas.lookup_identities.smoke import AUTHORITY, SENDER
from ops.events.trail import EventTrail
from ops.problem import ProblemError
from ops.sending.messages import OutgoingMessage

NOTES = 2000
NOTE = "The patient rested well. " * 16
PROCESSING_IDS = "PTD"


class Ending(NamedTuple):
    """An expected end of an event: its status, and the error name of a failure."""

    status: str
    error_name: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """One smoke message, its MSH-10, the expected ends of its event, and whether it causes a mail."""

    name: str
    control_id: str
    message: OutgoingMessage
    expected: tuple[Ending, ...]
    sends_mail: bool = False

    def as_expected(self, trail: EventTrail | None) -> bool:
        """Whether the event ended as expected, and its mail, if any, was delivered."""
        if trail is None or Ending(trail.status, trail.error_name) not in self.expected:
            return False
        return not self.sends_mail or delivered(trail)


def delivered(trail: EventTrail) -> bool:
    """Whether there are recipients, and SES has reported a delivery for each."""
    feedback = [{f.outcome for f in recipient.feedback} for recipient in trail.recipients]
    return bool(feedback) and all("delivered" in outcomes for outcomes in feedback)


def new_run() -> str:
    """Returns a new id of a run: the patient's identifier, and part of each MSH-10."""
    return uuid.uuid4().hex[:10].upper()


def probes(environment: Environment, run: str) -> list[Probe]:
    """Returns the three messages of a run.

    The slow message holds about 900 kB of notes. Its event may complete or time out, depending on the
    deployment's limits. MSH-11 is P, or the first value that the environment accepts (HL7 table 0103).
    Raises `ProblemError` when the environment does not list the smoke sender.
    """
    sender = next((one for one in environment.senders if one.name == SENDER), None)
    if sender is None:
        raise ProblemError(
            f"environments/{environment.name}.toml: senders: `{SENDER}` is missing: add it and deploy."
        )
    allowed = environment.receiver.processing_ids or PROCESSING_IDS
    processing_id = next(one for one in PROCESSING_IDS if one in allowed)
    origin = f"{sender.sending_application}|{sender.sending_facility}"

    def probe(
        name: str, trigger: str, segments: str, *expected: Ending, mail: bool = False
    ) -> Probe:
        stamp = datetime.now(UTC).strftime("%Y%m%d%H%M%S+0000")
        control_id = f"ENS{run}{name[0].upper()}"
        header = (
            f"MSH|^~\\&|{origin}|HL7-ENS|HL7-ENS|{stamp}||ADT^{trigger}^ADT_A01|{control_id}"
            f"|{processing_id}|2.5.1"
        )
        body = f"{header}\rEVN||{stamp}\r{segments}\r".encode("ascii")
        return Probe(name, control_id, OutgoingMessage(name, 1, body), expected, mail)

    pid = f"PID|1||{run}^^^{AUTHORITY}^MR||Smoke^Test||19700101|U"
    visit = f"PV1|1|I|||||||||||||||||{run}^^^{AUTHORITY}^VN"
    notes = "\r".join(f"OBX|{n}|TX|NOTE^Note||{NOTE}" for n in range(1, NOTES + 1))
    done = Ending(EventStatus.COMPLETED)
    unreadable = Ending(EventStatus.FAILED, "UnprocessableMessageError")
    timeouts = [Ending(EventStatus.FAILED, name) for name in ("States.Timeout", "Sandbox.Timedout")]
    return [
        probe("good", "A01", f"{pid}\r{visit}", done, mail=True),
        probe("poison", "A01", visit, unreadable),
        probe("slow", "A08", f"{pid}\r{visit}\r{notes}", done, unreadable, *timeouts),
    ]
