"""Events as TrackEncounter writes them, for tests of later steps."""

from datetime import UTC, datetime

from lambdas.common.clock import iso
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.keys import KeyRing
from lambdas.track_encounter.profile import EncounterProfile
from lambdas.track_encounter.reading import encounter_message
from lambdas.track_encounter.rules import decide

RING = KeyRing("k1", {"k1": b"a key of tests"})


def decided(event: PatientEvent) -> PatientEvent:
    """The event with its decision as the only message of its stay, at the time at which it was sent."""
    sent = datetime.fromisoformat(event.message_time)
    now = sent if sent.tzinfo else sent.replace(tzinfo=UTC)
    profile = EncounterProfile(name=event.sender)
    _, decision = decide(None, encounter_message(event, profile, RING, iso(now)), profile, now)
    return event.decided(decision)
