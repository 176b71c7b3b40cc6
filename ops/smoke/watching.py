"""Follows the events of the probes by status table and audit, and keeps the dead-letter queue clean."""

import time
from dataclasses import dataclass, field

from lambdas.lookup_identities.smoke import SENDER
from ops import redrive
from ops.redrive import Removed
from ops.session import Session
from ops.smoke.probes import Probe
from ops.trail import EventTrail

POLL_SECONDS = 0.5
ENDED = ("COMPLETED", "FAILED")


@dataclass(slots=True)
class Watcher:
    """The events of one run; `removed` are the messages taken off the dead-letter queue so far."""

    session: Session
    who: str
    removed: list[Removed] = field(default_factory=list)

    def sweep(self) -> None:
        """Takes the smoke sender's messages off the dead-letter queue.

        Waits for them, so that one is taken the moment it arrives: SQS counts visible messages once
        a minute, and the alarms on dead letters see only what is counted.
        """
        self.removed += redrive.discard_of_sender(self.session.deployment, SENDER, self.who)

    def ending(self, probe: Probe, seconds: float) -> EventTrail | None:
        """The event's trail once it is as designed, or as far as it came; None when nothing began."""
        deadline = time.monotonic() + seconds
        trail = self._trail(probe)
        while not self._is_settled(probe, trail) and time.monotonic() < deadline:
            self.sweep()
            time.sleep(POLL_SECONDS)
            trail = self._trail(probe)
        return trail

    def has_swept(self, event_id: str, seconds: float) -> bool:
        """Whether the queue gave the event's message within some seconds of now."""
        deadline = time.monotonic() + seconds
        while not any(one.event_id == event_id for one in self.removed):
            if time.monotonic() >= deadline:
                return False
            self.sweep()
        return True

    def _trail(self, probe: Probe) -> EventTrail | None:
        found = self.session.trail.find(probe.control_id)
        return self.session.trail.event(found[0]) if found else None

    @staticmethod
    def _is_settled(probe: Probe, trail: EventTrail | None) -> bool:
        if trail is None or trail.status not in ENDED:
            return False
        return probe.as_expected(trail) or trail.status == "FAILED"
