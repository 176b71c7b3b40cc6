"""ParseMessage: reads the stored message, writes `event.json`, and decides whether it notifies."""

from dataclasses import asdict

from lambdas.common import status
from lambdas.common.aws import vault
from lambdas.common.contracts.models import Envelope, PatientEvent
from lambdas.common.handler import Result, Run, Task, step
from lambdas.common.keys import reference_keys
from lambdas.common.senders import sender_named
from lambdas.parse_message.read_event import read_event
from lambdas.parse_message.receipt import received_message
from lambdas.parse_message.settings import document_bytes

MAX_WARNINGS = 50
"""Most warnings in the audit entry, whose size DynamoDB limits; event.json has all of them."""

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
    """Returns the message's codes for the workflow; everything else is in `event.json`.

    An event that was COMPLETED before is a duplicate, unless the envelope has `replay`. Raises
    `UnprocessableMessageError` when the message cannot be read.
    """
    envelope = Envelope.from_dict(task["envelope"])
    if not envelope.replay and _completed(envelope.event_id):
        run.audit("DUPLICATE", "duplicate")
        return {**_names(envelope), **DUPLICATE}

    status.open_event(envelope.event_id, envelope.received_at, run.execution_arn, envelope.sender)
    raw = received_message(envelope, run)
    sender = sender_named(envelope.sender)
    event = read_event(
        raw,
        envelope.event_id,
        envelope.sender,
        sender.zone,
        document_bytes(),
        codes=sender.codes,
        received_at=envelope.received_at,
    )
    written = vault.write_document(event.event_id, "event.json", event.to_dict())
    return {**_names(envelope), **_recorded(event, written, run)}


def _names(envelope: Envelope) -> Result:
    """The members of the envelope that later states use; the state drops the others."""
    return {
        "event_id": envelope.event_id,
        "sender": envelope.sender,
        "received_at": envelope.received_at,
    }


def _completed(event_id: str) -> bool:
    item = status.read(event_id)
    return item is not None and item["status"] == status.COMPLETED


def _recorded(event: PatientEvent, written: vault.Written, run: Run) -> Result:
    """Audits the parsed event and returns the values that the workflow's states use."""
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
        warnings=[asdict(warning) for warning in event.warnings[:MAX_WARNINGS]],
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
    """The encounter's reference, from facility and visit number, else account number; "" without either."""
    keys = reference_keys()
    if event.visit.visit_number:
        return keys.reference("encounter", event.sending_facility, event.visit.visit_number)
    if event.patient.account_number:
        return keys.reference("account", event.sending_facility, event.patient.account_number)
    return ""
