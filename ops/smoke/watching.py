"""Waits for the events of the probes to end, and removes their dead letters."""

import time
from dataclasses import dataclass, field

from lambdas.common.contracts.workflow.status import EventStatus
from lambdas.lookup_identities.smoke import SENDER
from ops.events.trail import EventTrail
from ops.queues import redrive
from ops.queues.redrive import Removed
from ops.sending.following import ENDED
from ops.session import Session
from ops.smoke.probes import Probe

POLL_SECONDS = 0.5


@dataclass(slots=True)
class Watcher:
    """Watches the events of one run. `removed` are its messages removed from the dead-letter queue."""

    session: Session
    who: str
    removed: list[Removed] = field(default_factory=list)

    def sweep(self) -> None:
        """Removes the smoke sender's messages from the dead-letter queue, with a long poll.

        SQS publishes its count of visible messages once a minute. A message that is removed at once is
        rarely counted, so it raises no alarm.
        """
        self.removed += redrive.discard_of_sender(self.session.deployment, SENDER, self.who)

    def ending(self, probe: Probe, seconds: float) -> EventTrail | None:
        """Returns the event's trail when it has ended as expected, or after `seconds`; None if none began."""
        deadline = time.monotonic() + seconds
        trail = self._trail(probe)
        while not self._is_settled(probe, trail) and time.monotonic() < deadline:
            self.sweep()
            time.sleep(POLL_SECONDS)
            trail = self._trail(probe)
        return trail

    def has_swept(self, event_id: str, seconds: float) -> bool:
        """Whether the event's message was removed from the dead-letter queue within `seconds`."""
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
        return probe.as_expected(trail) or trail.status == EventStatus.FAILED
