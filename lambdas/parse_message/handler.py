"""ParseMessage: reads the stored message, writes `event.json`, and decides whether it notifies."""

from lambdas.common import status
from lambdas.common.aws import vault
from lambdas.common.contracts.models import Envelope, PatientEvent
from lambdas.common.handler import Result, Run, Task, step
from lambdas.common.senders import sender_named
from lambdas.parse_message.context import ParseContext
from lambdas.parse_message.read_event import read_event
from lambdas.parse_message.receipt import received_message
from lambdas.parse_message.settings import ParseSettings

DUPLICATE: Result = {
    "trigger_event": "",
    "kind": "",
    "encounter_ref": "",
    "notifiable": False,
    "changes_identity": False,
    "duplicate": True,
    "version_id": "",
}


@step("ParseMessage", lambda: ParseContext(ParseSettings.from_environment()))
def lambda_handler(task: Task, run: Run, context: ParseContext) -> Result:
    """Returns the message's codes for the workflow; everything else is in `event.json`.

    An event that was COMPLETED before is a duplicate, unless the envelope has `replay`. Raises
    `UnprocessableMessageError` when the message cannot be read.
    """
    envelope = Envelope.from_dict(task["envelope"])
    if not envelope.replay and _completed(context, envelope.event_id):
        run.audit("DUPLICATE", "duplicate")
        return {**_names(envelope), **DUPLICATE}

    status.open_event(
        context, envelope.event_id, envelope.received_at, run.execution_arn, envelope.sender
    )
    raw = received_message(context, envelope, run)
    zone = sender_named(context, envelope.sender).zone
    event = read_event(
        raw, envelope.event_id, envelope.sender, zone, context.settings.document_bytes
    )
    written = vault.write_document(context, event.event_id, "event.json", event.to_dict())
    return {**_names(envelope), **_recorded(context, event, written, run)}


def _names(envelope: Envelope) -> Result:
    """The members of the envelope that later states use; the state drops the others."""
    return {
        "event_id": envelope.event_id,
        "sender": envelope.sender,
        "received_at": envelope.received_at,
    }


def _completed(context: ParseContext, event_id: str) -> bool:
    item = status.read(context, event_id)
    return item is not None and item["status"] == status.COMPLETED


def _recorded(
    context: ParseContext, event: PatientEvent, written: vault.Written, run: Run
) -> Result:
    """Audits the parsed event and returns the values that the workflow's states use."""
    encounter_ref = _encounter_ref(context, event)
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


def _encounter_ref(context: ParseContext, event: PatientEvent) -> str:
    """The encounter's reference, from facility and visit number, else account number; "" without either."""
    keys = context.reference_keys
    if event.visit.visit_number:
        return keys.reference("encounter", event.sending_facility, event.visit.visit_number)
    if event.patient.account_number:
        return keys.reference("account", event.sending_facility, event.patient.account_number)
    return ""
