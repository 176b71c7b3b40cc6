"""The encounter (one stay of a patient at one sender) and the decision about one of its events.

An encounter holds references, codes and times: no name and no number of a patient. Moments are
ISO 8601, UTC, milliseconds, so that they sort as text; "" where there is none.
"""

from dataclasses import dataclass
from enum import StrEnum

from lambdas.common.contracts.document import private
from lambdas.common.contracts.encounters.protection import ProtectionFlag, SensitiveMark, StayMarks
from lambdas.common.contracts.message.event_kind import EventKind


class EncounterClass(StrEnum):
    """The class of an encounter, after the sender's table was applied to PV1-2 (HL7 table 0004)."""

    UNKNOWN = ""
    INPATIENT = "inpatient"
    EMERGENCY = "emergency"
    OBSERVATION = "observation"
    OUTPATIENT = "outpatient"


class Phase(StrEnum):
    """The phase of an encounter. `seen`: messages name it, but none of them began it."""

    PLANNED = "planned"
    SEEN = "seen"
    IN = "in"
    LEFT = "left"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class Effect(StrEnum):
    """The effect of a trigger event on an encounter (docs/encounters.md#trigger-events)."""

    BEGIN = "begin"
    ADMIT = "admit"
    TO_OUTPATIENT = "to_outpatient"
    MOVE = "move"
    END = "end"
    UPDATE = "update"
    PLAN = "plan"
    CANCEL_BEGIN = "cancel_begin"
    CANCEL_MOVE = "cancel_move"
    CANCEL_END = "cancel_end"
    CANCEL_PLAN = "cancel_plan"
    DELETE = "delete"
    MOVE_TO_PATIENT = "move_to_patient"
    MERGE_PATIENT = "merge_patient"
    CHANGE_NUMBER = "change_number"
    NONE = "none"


class Audience(StrEnum):
    """The recipients of a notice.

    `team`: those whom the registry names for the patient now. `told`: exactly those who were told of
    the events in `about`, by the ledger. `untold`: those of the team who were not told of them.
    """

    TEAM = "team"
    TOLD = "told"
    UNTOLD = "untold"


class DecisionReason(StrEnum):
    """The reason of a decision that tells nobody (docs/encounters.md#reasons)."""

    DUPLICATE = "duplicate"
    NOT_A_NOTIFIABLE_EVENT = "not_a_notifiable_event"
    PLANNED = "planned"
    BED_MOVE = "bed_move"
    UNCHANGED = "unchanged"
    SUPERSEDED = "superseded"
    NOT_TOLD = "not_told"
    NO_ENCOUNTER = "no_encounter"
    STALE_EVENT = "stale_event"
    LOAD = "load"
    IDENTITY_CHANGED = "identity_changed"
    NUMBER_CHANGED = "number_changed"


class DispositionSays(StrEnum):
    """The statement of PV1-36 about a death, where it alone decides. `no_death`: the patient left alive."""

    NOTHING = ""
    DEATH = "death"
    NO_DEATH = "no_death"


class Change(StrEnum):
    """A detail that an update or a correction brings."""

    ATTENDING = "attending"
    DIAGNOSIS = "diagnosis"
    DISPOSITION = "disposition"
    DESTINATION = "destination"
    CLASS = "class"
    PATIENT = "patient"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEvent:
    """One event as its encounter keeps it.

    `order` is the moment by which events are sorted, those of one moment by `received_at`. `recorded_at`
    is the moment of its recording where that is later. `at` is the time that a notice tells, with the
    field it came from. `cancels_at` is EVN-6 of a cancellation: the time of the cancelled event.
    `attending`: it names an attending doctor. `died` is None where the message does not say.
    `disposition_says` is set where PID-29 and PID-30 say nothing.
    """

    event_id: str
    trigger_event: str
    effect: Effect
    order: str
    at: str
    recorded_at: str = ""
    received_at: str = ""
    time_source: str = ""
    cancels_at: str = ""
    encounter_class: EncounterClass = EncounterClass.UNKNOWN
    facility: str = private()
    unit: str = private()
    facility_before: str = private()
    attending: bool = private(False)
    disposition: str = private()
    discharged_to: str = private()
    diagnosed: bool = private(False)
    died: bool | None = private(None)
    disposition_says: DispositionSays = private(DispositionSays.NOTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The details of an encounter that a notice tells."""

    encounter_class: EncounterClass = EncounterClass.UNKNOWN
    facility: str = private()
    attending: bool = private(False)
    disposition: str = private()
    discharged_to: str = private()
    diagnosed: bool = private(False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldFact:
    """A fact that was told, and the events whose notices told it: the first one, then its updates.

    `rests_on` is the event that the fact comes from, `order` that event's position. `silent`: recorded
    as known and told to nobody (stale, or a load). A fact that no longer holds has `withdrawn_by`.
    """

    event_ids: tuple[str, ...]
    kind: EventKind
    rests_on: str
    order: str
    at: str
    told_at: str
    facts: Facts = Facts()
    silent: bool = False
    withdrawn_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Encounter:
    """One stay of a patient at one sender.

    `keys` are the references of its numbers. `patient_keys` are the references of the patient's identifiers
    at the sender; `moved_from` are those of the patient who had it before its last move. A code in
    `protections` or `sensitive` is never removed. `unchanged` counts events that are not in `events`
    because they said nothing new. `closed_at` is the moment of a closing without an end.
    """

    encounter_id: str
    sender: str
    version: int = 0
    keys: tuple[str, ...] = ()
    patient_keys: tuple[str, ...] = ()
    moved_from: tuple[str, ...] = ()
    patient_ref: str = ""
    events: tuple[RecordedEvent, ...] = ()
    told: tuple[ToldFact, ...] = ()
    protections: tuple[ProtectionFlag, ...] = ()
    sensitive: tuple[SensitiveMark, ...] = ()
    unchanged: int = 0
    closed_at: str = ""

    @property
    def marks(self) -> StayMarks:
        """The marks of all its messages."""
        return StayMarks(flags=self.protections, sensitive=self.sensitive)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One notice of a decision: its kind, its audience and the earlier events that it is about.

    `at` is the time of the fact, "" where no plausible one was sent. `late`: received late.
    Until `settle_until` it is held, and its letter gets the details of updates. `changes` are the details
    that it brings.
    """

    kind: EventKind
    audience: Audience
    about: tuple[str, ...] = ()
    at: str = ""
    late: bool = False
    settle_until: str = ""
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The meaning of one event: its notices, or the reason why there are none.

    `facts` and `marks` hold for the encounter after the event. `encounter_key` is the key of its item.
    `warnings` are codes: `implausible_time`.
    """

    event_id: str
    trigger_event: str
    decided_at: str
    encounter_id: str = ""
    encounter_key: str = ""
    phase: Phase | None = None
    classes: tuple[EncounterClass, ...] = ()
    facts: Facts = Facts()
    notices: tuple[Notice, ...] = ()
    reason: DecisionReason | None = None
    warnings: tuple[str, ...] = ()
    marks: StayMarks = StayMarks()


@dataclass(frozen=True, slots=True, kw_only=True)
class EncounterNumbers:
    """The numbers of the encounter in one message, as sent, and other fields that only its rules read.

    `visit`: PV1-19 and PV1-50; `account`: PID-18; `prior_visit`: MRG-5 and MRG-6; `prior_account`: MRG-3;
    `prior_patient`: MRG-1, MRG-4 and MRG-2 as (value, authority). `protections` are the positions that
    protect it, `sensitive` its sensitive categories. `load`: MSH-11.2 is `I` (initial load), `A` (archive)
    or `R` (restore). `said_dead` is PID-30, also HL7's null.
    """

    visit: tuple[str, ...] = private(())
    account: tuple[str, ...] = private(())
    prior_visit: tuple[str, ...] = private(())
    prior_account: tuple[str, ...] = private(())
    prior_patient: tuple[tuple[str, str], ...] = private(())
    protections: tuple[ProtectionFlag, ...] = ()
    sensitive: tuple[SensitiveMark, ...] = ()
    load: bool = False
    said_dead: str = private()
