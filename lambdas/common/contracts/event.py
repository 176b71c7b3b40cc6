"""The patient event: one ADT message as the later steps need it, `event.json` in the vault."""

from dataclasses import dataclass
from enum import StrEnum

from hl7.warnings import MessageWarning
from lambdas.common.contracts.document import private
from lambdas.common.contracts.notes import Note, Skipped
from lambdas.common.contracts.patient import Patient, PatientIdentifier
from lambdas.common.contracts.practitioner import Practitioner
from lambdas.common.contracts.visit import CodedText, Visit


class EventKind(StrEnum):
    """The kind of a patient event, or the cancellation of one; `NONE`: nobody is notified.

    `registration` is one without a patient class; `ed_` are the emergency department's.
    """

    NONE = ""
    ADMISSION = "admission"
    REGISTRATION = "registration"
    ED_REGISTRATION = "ed_registration"
    TRANSFER = "transfer"
    DISCHARGE = "discharge"
    ED_DISCHARGE = "ed_discharge"
    CANCEL_ADMISSION = "cancel_admission"
    CANCEL_TRANSFER = "cancel_transfer"
    CANCEL_DISCHARGE = "cancel_discharge"


NOTIFIED = tuple(kind for kind in EventKind if kind is not EventKind.NONE)
"""The kinds of events that are notified."""

DISCHARGES = frozenset({EventKind.DISCHARGE, EventKind.ED_DISCHARGE})

CANCELS = {
    EventKind.CANCEL_ADMISSION: (
        EventKind.ADMISSION,
        EventKind.REGISTRATION,
        EventKind.ED_REGISTRATION,
    ),
    EventKind.CANCEL_TRANSFER: (EventKind.TRANSFER,),
    EventKind.CANCEL_DISCHARGE: (EventKind.DISCHARGE, EventKind.ED_DISCHARGE),
}
"""The kinds that each cancellation cancels (A11, A12, A13). It goes to the recipients of those notices only."""


@dataclass(frozen=True, slots=True)
class PatientEvent:
    """One ADT message as the later steps need it; `event.json` in the vault.

    `event_kind` is `NONE` when the rule table has no notification for this trigger event and patient class
    (then `notifiable` is False). `changes_identity`: an MPI may match the patient differently after this
    event, and also the patients of `other_identifiers`: merged (MRG), linked or unlinked (a second PID).
    `language` is MSH-19 as a code, "" for none.
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

    def event_time(self) -> str:
        """The time of the event: EVN-6, else the visit's own time, else EVN-2, else MSH-7.

        For a cancellation it is the recording time: its EVN-6 is the time of the cancelled event.
        """
        if self.event_kind in CANCELS:
            return self.recorded_at or self.message_time
        visit_time = (
            self.visit.discharged_at if self.event_kind in DISCHARGES else self.visit.admitted_at
        )
        if self.event_kind is EventKind.TRANSFER:
            visit_time = ""
        return self.occurred_at or visit_time or self.recorded_at or self.message_time
