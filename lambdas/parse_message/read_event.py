"""Reads the patient event from a message's bytes. No AWS calls.

The kind of the event stays `NONE`: TrackEncounter decides it by the encounter.
"""

import re
from dataclasses import replace
from zoneinfo import ZoneInfo

from hl7 import er7
from hl7.identity import trigger_event as header_trigger_event
from hl7.tables import ADT_TRIGGER_EVENTS
from hl7.timestamps import DateOrder, Times, offset_of
from hl7.warnings import MessageWarning, WarningCode
from lambdas.common.contracts.message.event import FurtherGroup, PatientEvent
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.common.contracts.message.visit import CodedText
from lambdas.common.errors import UnprocessableMessageError
from lambdas.common.senders import SenderCodes
from lambdas.parse_message.segments.death import death
from lambdas.parse_message.segments.documents import DOCUMENT_BYTES
from lambdas.parse_message.segments.encounter_numbers import NOT_CURRENT, encounter_numbers
from lambdas.parse_message.segments.groups import further_groups
from lambdas.parse_message.segments.notes import notes
from lambdas.parse_message.segments.patient import identifiers_of, other_identifiers, patient
from lambdas.parse_message.segments.visit import diagnoses, names_facilities, practitioners, visit
from lambdas.parse_message.structure import departures
from lambdas.parse_message.values.codes import OTHER
from lambdas.parse_message.values.versions import version_of

TRANSFER, CANCEL_DISCHARGE = "A02", "A13"
CHANGES_IDENTITY = frozenset(
    {"A08", "A18", "A24", "A28", "A29", "A30", "A31", "A34", "A36", "A37", "A39", "A40", "A43"}
    | {"A46", "A47"}
)
"""Trigger events after which an MPI may match a patient differently: update, add, delete, link, unlink,
merge, move and change of identifiers (HL7 2.5.1 chapter 3). Accounts and visits name no patient."""
CONTRADICTING_CLASSES = {
    "A04": frozenset({"I", "OBS", "S", "V"}),
    "A06": frozenset({"C", "E", "O", "P", "R"}),
    "A07": frozenset({"I"}),
}
"""The patient classes that a trigger event does not go with (HL7 2.5.1, 3.3.4 to 3.3.7)."""
PROCESSING_IDS = frozenset({"D", "P", "T"})
CURRENT = frozenset({"T", "NOT PRESENT"})


def read_event(
    raw: bytes,
    event_id: str,
    sender: str = "unknown",
    zone: ZoneInfo | None = None,
    document_bytes: int = DOCUMENT_BYTES,
    *,
    codes: SenderCodes | None = None,
    received_at: str = "",
    date_order: DateOrder = DateOrder.UNKNOWN,
) -> PatientEvent:
    """Returns the patient event in these bytes, with a warning for each repair.

    `zone`, `codes` and `date_order` are the sender's; `document_bytes` limits the documents; `received_at`
    is the receiver's time in ISO 8601, by which a date lies in the future. Raises
    `UnprocessableMessageError` with the position when the bytes are not one HL7 v2 message about a patient.
    """
    try:
        message = er7.read(raw)
    except er7.Er7Error as error:
        raise UnprocessableMessageError(str(error)) from None
    default_offset = offset_of(message.first("MSH").part(7))
    times = Times(zone, default_offset, message.repairs, date_order, received_at)
    event = _event(message, times, codes or SenderCodes(), document_bytes, received_at)
    return replace(event, event_id=event_id, sender=sender)


def _event(
    message: er7.Message, times: Times, codes: SenderCodes, document_bytes: int, received_at: str
) -> PatientEvent:
    """The event without its id and sender."""
    warnings = message.repairs
    msh, evn = message.first("MSH"), message.first("EVN")
    version = version_of(msh.code(12), warnings)
    if not message.all("PID"):
        raise UnprocessableMessageError("the message has no PID segment")
    control_id = message.control_id
    if not control_id:
        warnings.append(MessageWarning(WarningCode.EMPTY, "MSH-10"))

    message_time = times.time(msh.part(7), "MSH-7")
    recorded_at = times.time(evn.part(2), "EVN-2")
    occurred_at = times.time(evn.part(6), "EVN-6")
    the_visit = visit(message, times, codes, warnings)
    moments = (received_at, message_time, recorded_at, occurred_at, the_visit.discharged_at)
    trigger_event = _trigger_event(message, warnings)
    # The disposition in an A13 is that of the discharge it cancels.
    disposition = CodedText() if trigger_event == CANCEL_DISCHARGE else the_visit.disposition
    the_death = death(message, disposition, codes.dispositions, times, moments)
    mode = _processing_mode(msh, warnings)
    if trigger_event == TRANSFER and not names_facilities(message):
        warnings.append(MessageWarning(WarningCode.FACILITY_MISSING, "PV1-3.4 and PV1-6.4"))
    if the_visit.patient_class in CONTRADICTING_CLASSES.get(trigger_event, ()):
        warnings.append(
            MessageWarning(WarningCode.CLASS_CONTRADICTS_TRIGGER, "PV1-2", trigger_event)
        )
    changes_identity = trigger_event in CHANGES_IDENTITY
    read, skipped = notes(message, warnings, document_bytes)
    event = PatientEvent(
        event_id="",
        trigger_event=trigger_event,
        event_kind=EventKind.NONE,
        notifiable=False,
        hl7_version=version,
        processing_id=_processing_id(msh, warnings),
        processing_mode=mode,
        sending_application=message.header.letterhead.sending_application,
        sending_facility=message.header.letterhead.sending_facility,
        message_control_id=control_id,
        message_time=message_time,
        recorded_at=recorded_at,
        occurred_at=occurred_at,
        patient=patient(message, times, codes, the_death, warnings),
        visit=the_visit,
        death=the_death.evidence,
        practitioners=practitioners(message),
        diagnoses=diagnoses(message, warnings),
        notes=read,
        skipped_notes=skipped,
        language=_language(msh),
        skipped_segments=message.skipped_segments(),
        changes_identity=changes_identity,
        other_identifiers=other_identifiers(message, warnings) if changes_identity else (),
        numbers=encounter_numbers(message, the_visit, codes.privacy),
        further=tuple(
            FurtherGroup(
                identifiers_of(group),
                encounter_numbers(group, visit(group, times, codes, []), codes.privacy),
            )
            for group in further_groups(message)
        ),
    )
    all_warnings = dict.fromkeys([*warnings, *departures(message, version)])
    return replace(event, warnings=tuple(all_warnings))


def _trigger_event(message: er7.Message, warnings: list[MessageWarning]) -> str:
    """MSH-9.2 of an ADT message; `other` for any other message, "" when it is not given.

    EVN-1 is used only when MSH-9.2 is empty: it is withdrawn from 2.7, and senders leave old values in it.
    """
    letterhead = message.header.letterhead
    message_type, trigger_event = letterhead.message_type, letterhead.trigger_event
    if not trigger_event and message_type in ("", "ADT"):
        trigger_event = header_trigger_event(message.header)
        warnings.append(
            MessageWarning(WarningCode.READ_ELSEWHERE, "MSH-9.2", "EVN-1")
            if trigger_event
            else MessageWarning(WarningCode.EMPTY, "MSH-9.2")
        )
    if not trigger_event:
        return ""
    if message_type not in ("", "ADT") or trigger_event not in ADT_TRIGGER_EVENTS:
        warnings.append(MessageWarning(WarningCode.NOT_ADT, "MSH-9"))
        return OTHER
    return trigger_event


def _processing_id(msh: er7.Segment, warnings: list[MessageWarning]) -> str:
    """MSH-11.1: `P` production, `T` training, `D` debugging; "" for anything else."""
    code = msh.code(11).upper()
    if code in PROCESSING_IDS:
        return code
    warnings.append(MessageWarning(WarningCode.UNKNOWN_CODE, "MSH-11"))
    return ""


def _processing_mode(msh: er7.Segment, warnings: list[MessageWarning]) -> str:
    """MSH-11.2 (table 0207): "" where it is not given or `not present` is written out; else its code."""
    mode = msh.code(11, 2).upper()
    if mode in NOT_CURRENT:
        warnings.append(MessageWarning(WarningCode.NOT_CURRENT, "MSH-11.2"))
    elif mode and mode not in CURRENT:
        warnings.append(MessageWarning(WarningCode.UNKNOWN_CODE, "MSH-11.2"))
        return ""
    return mode


def _language(msh: er7.Segment) -> str:
    """MSH-19, the principal language of the message (HL7 2.9.2.19), as an ISO 639 code; "" for none."""
    found = re.match(r"[a-z]{2,3}(?![a-z])", msh.part(19).strip().lower())
    return found[0] if found else ""
