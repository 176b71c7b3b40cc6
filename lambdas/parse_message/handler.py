"""ParseMessage: from the stored message to `event.json`, and whether anybody is to be told."""

from lambdas.common import status, vault
from lambdas.common.keys import reference_keys
from lambdas.common.log import Result, Run, Task, step
from lambdas.common.models import Envelope, PatientEvent
from lambdas.common.senders import sender_named
from lambdas.parse_message.read_event import read_event
from lambdas.parse_message.receipt import received_message
from lambdas.parse_message.settings import document_bytes

DUPLICATE: Result = {
    "trigger_event": "",
    "kind": "",
    "encounter_ref": "",
    "notifiable": False,
    "changes_identity": False,
    "duplicate": True,
    "version_id": "",
}


@step("ParseMessage")
def lambda_handler(task: Task, run: Run) -> Result:
    """The message as codes and counts for the workflow; everything else is in `event.json`.

    An event COMPLETED before is a duplicate, unless its envelope names who replays it. Raises
    `UnprocessableMessageError` when the message cannot be read.
    """
    envelope = Envelope.from_dict(task["envelope"])
    if not envelope.replay and _completed(envelope.event_id):
        run.audit("DUPLICATE", "duplicate")
        return {**_names(envelope), **DUPLICATE}

    status.open_event(envelope.event_id, envelope.received_at, run.execution_arn, envelope.sender)
    raw = received_message(envelope, run)
    zone = sender_named(envelope.sender).zone
    event = read_event(raw, envelope.event_id, envelope.sender, zone, document_bytes())
    written = vault.write_document(event.event_id, "event.json", event.to_dict())
    return {**_names(envelope), **_recorded(event, written, run)}


def _names(envelope: Envelope) -> Result:
    """What later states need of the envelope, which the workflow's state does not carry further."""
    return {
        "event_id": envelope.event_id,
        "sender": envelope.sender,
        "received_at": envelope.received_at,
    }


def _completed(event_id: str) -> bool:
    item = status.read(event_id)
    return item is not None and item["status"] == status.COMPLETED


def _recorded(event: PatientEvent, written: vault.Written, run: Run) -> Result:
    """Audits what was read and returns what the workflow's states decide by, and no more."""
    encounter_ref = _encounter_ref(event)
    action, outcome = ("PARSED", "ok") if event.notifiable else ("NOT_NOTIFIABLE", "not_notifiable")
    run.audit(
        action,
        outcome,
        trigger_event=event.trigger_event,
        kind=event.kind,
        patient_class=event.visit.patient_class,
        encounter_ref=encounter_ref or None,
        counts={
            "notes": len(event.notes),
            "unread_notes": len(event.unread_notes),
            "warnings": len(event.warnings),
        },
        documents=[written.to_dict()],
    )
    return {
        "trigger_event": event.trigger_event,
        "kind": event.kind,
        "encounter_ref": encounter_ref,
        "notifiable": event.notifiable,
        "changes_identity": event.changes_identity,
        "duplicate": False,
        "version_id": written.version_id,
    }


def _encounter_ref(event: PatientEvent) -> str:
    """A stand-in for the encounter: facility and visit number, else account number; "" without either."""
    keys = reference_keys()
    if event.visit.visit_number:
        return keys.reference("encounter", event.sending_facility, event.visit.visit_number)
    if event.patient.account_number:
        return keys.reference("account", event.sending_facility, event.patient.account_number)
    return ""
