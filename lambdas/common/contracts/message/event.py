"""The patient event: one ADT message as the later steps need it, `event.json` in the vault."""

from dataclasses import dataclass, replace

from hl7.death import Evidence
from hl7.warnings import MessageWarning, WarningCode
from lambdas.common.contracts.document import private
from lambdas.common.contracts.encounters.encounter import Decision, EncounterNumbers
from lambdas.common.contracts.encounters.protection import StayMarks
from lambdas.common.contracts.message.event_kind import BEGINS, CANCELS, ENDS, EventKind
from lambdas.common.contracts.message.notes import Note, Skipped
from lambdas.common.contracts.message.patient import Patient, PatientIdentifier
from lambdas.common.contracts.message.practitioner import Practitioner
from lambdas.common.contracts.message.visit import CodedText, Visit


@dataclass(frozen=True, slots=True)
class FurtherGroup:
    """A further group of a merge or move: the identifiers of its patient (PID) and the numbers of its encounter."""

    identifiers: tuple[PatientIdentifier, ...] = private(())
    numbers: EncounterNumbers = private(EncounterNumbers())


@dataclass(frozen=True, slots=True)
class PatientEvent:
    """One ADT message as the later steps need it; `event.json` in the vault.

    `event_kind` is that of the decision's first notice, `NONE` when nobody is notified (then `notifiable`
    is False). `changes_identity`: an MPI may match the patient differently after this event, and also the
    patients of `other_identifiers`: merged (MRG), linked or unlinked (a second PID). `numbers` are those by
    which its encounter is found; TrackEncounter adds the `decision`. `further` are the groups after the
    first one of a message with several (HL7 2.5.1 structures ADT_A39, ADT_A43 and ADT_A45). `language` is
    MSH-19 as a code, "" for none. `death` is the evidence of a death, None in a document from before it was
    recorded. `processing_mode` is MSH-11.2: `A` archive, `R` restore, `I` initial load, `T` or "" current.
    """

    event_id: str
    trigger_event: str
    event_kind: EventKind
    notifiable: bool
    hl7_version: str
    processing_id: str = ""
    sender: str = "unknown"
    sending_application: str = private()
    sending_facility: str = private()
    message_control_id: str = private()
    message_time: str = private()
    recorded_at: str = private()
    occurred_at: str = private()
    patient: Patient = private(Patient())
    visit: Visit = private(Visit())
    practitioners: tuple[Practitioner, ...] = private(())
    diagnoses: tuple[CodedText, ...] = private(())
    notes: tuple[Note, ...] = private(())
    skipped_notes: tuple[Skipped, ...] = ()
    language: str = ""
    warnings: tuple[MessageWarning, ...] = ()
    skipped_segments: tuple[str, ...] = ()
    changes_identity: bool = False
    other_identifiers: tuple[PatientIdentifier, ...] = private(())
    numbers: EncounterNumbers = private(EncounterNumbers())
    decision: Decision | None = private(None)
    death: Evidence | None = private(None)
    processing_mode: str = ""
    further: tuple[FurtherGroup, ...] = private(())

    def decided(self, decision: Decision) -> "PatientEvent":
        """The event with the decision, and with the kind of its first notice."""
        kind = decision.notices[0].kind if decision.notices else EventKind.NONE
        notifiable = kind is not EventKind.NONE
        return replace(self, event_kind=kind, notifiable=notifiable, decision=decision)

    @property
    def marks(self) -> StayMarks:
        """The marks of the event's stay: those of its message, and those of the decision (all messages so far)."""
        own = StayMarks(flags=self.numbers.protections, sensitive=self.numbers.sensitive)
        return self.decision.marks.joined(own) if self.decision else own

    def unreadable(self, position: str) -> bool:
        """Whether the field at this position holds a time or date that could not be read."""
        codes = (WarningCode.NOT_A_TIME, WarningCode.NOT_A_DATE)
        return any(one.position == position and one.code in codes for one in self.warnings)

    def event_time(self) -> str:
        """The time of the event: EVN-6, else the visit's own time, else EVN-2, else MSH-7.

        For a cancellation it is the recording time: its EVN-6 is the time of the cancelled event.
        """
        if self.event_kind in CANCELS:
            return self.recorded_at or self.message_time
        return self.occurred_at or self._visit_time() or self.recorded_at or self.message_time

    def _visit_time(self) -> str:
        """PV1-44 of a begin, PV1-45 of an end. A transfer and an update have no time in the visit."""
        if self.event_kind in ENDS:
            return self.visit.discharged_at
        return self.visit.admitted_at if self.event_kind in BEGINS else ""
