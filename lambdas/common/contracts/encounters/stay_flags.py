"""Flags of a patient's stays at all senders, with the earlier stays that each rests on.

LookupIdentities computes them, the letter and the FHIR bundle show them. A protected stay is never part
of a flag.
"""

from dataclasses import dataclass
from enum import StrEnum

from lambdas.common.contracts.document import private
from lambdas.common.contracts.encounters.encounter import EncounterClass


class FlagKind(StrEnum):
    """The flags (docs/encounters.md)."""

    READMISSION = "readmission_within_30_days"
    FREQUENT_EMERGENCY = "frequent_emergency_visits"
    RECENT_POST_ACUTE = "recent_post_acute_discharge"
    TRANSFERRED_FROM = "transferred_from"


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierStay:
    """One earlier stay of the patient, as far as a flag tells it.

    `hospital` is the sender's display name, `facility` the code of PV1-3.4. `began_at` and `ended_at`
    are UTC, "" where they are not known. `discharged_to` is PV1-37 as sent.
    """

    encounter_id: str
    sender: str
    hospital: str = private()
    facility: str = private()
    encounter_class: EncounterClass = EncounterClass.UNKNOWN
    began_at: str = private()
    ended_at: str = private()
    discharged_to: str = private()


@dataclass(frozen=True, slots=True, kw_only=True)
class StayFlag:
    """A flag and the earlier stays on which it rests, the newest last.

    `count` is the number of emergency visits within 60 days, this one included; 0 for other flags.
    """

    kind: FlagKind
    stays: tuple[EarlierStay, ...] = ()
    count: int = 0
