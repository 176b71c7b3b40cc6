"""ParseMessage: reads the stored message, writes `event.json`, and decides whether it notifies."""

from lambdas.common import status
from lambdas.common.aws import vault
from lambdas.common.contracts.audit import AuditAction, AuditOutcome, AuditStep
from lambdas.common.contracts.document import Written
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.workflow.envelope import Envelope
from lambdas.common.contracts.workflow.tasks import ParseMessageInput, ParseMessageResult
from lambdas.common.feed import counts as feed
from lambdas.common.feed.shares import Signal
from lambdas.common.function.handler import Run, step
from lambdas.common.senders import sender_of_message, sender_profile
from lambdas.parse_message.context import ParseContext, ParseSettings
from lambdas.parse_message.read_event import read_event
from lambdas.parse_message.receipt import received_message

MAX_WARNINGS = 50
"""Most warnings in the audit entry, whose size DynamoDB limits; event.json has all of them."""


@step(
    AuditStep.PARSE_MESSAGE,
    ParseMessageInput,
    lambda: ParseContext(ParseSettings.from_environment()),
)
def lambda_handler(task: ParseMessageInput, run: Run, context: ParseContext) -> ParseMessageResult:
    """Returns the message's codes for the workflow; everything else is in `event.json`.

    An event that was COMPLETED before is a duplicate, unless the envelope has `replay`. Raises
    `UnprocessableMessageError` when the message cannot be read, and `DependencyUnavailableError`.
    """
    envelope = task.envelope
    if not status.open_event(context, envelope, run.execution_arn):
        run.audit(AuditAction.DUPLICATE, AuditOutcome.DUPLICATE)
        return ParseMessageResult(
            event_id=envelope.event_id,
            sender=envelope.sender,
            received_at=envelope.received_at,
            duplicate=True,
        )
    raw = received_message(context, envelope, run)
    sender = sender_profile(sender_of_message(context, envelope.sender))
    event = read_event(
        raw,
        envelope.event_id,
        envelope.sender,
        sender.zone,
        context.settings.document_bytes,
        codes=sender.codes,
        date_order=sender.date_order,
        received_at=envelope.received_at,
    )
    written = vault.write_document(context, event.event_id, PatientEvent, event)
    return _recorded(context, envelope, event, written, run)


def _recorded(
    context: ParseContext, envelope: Envelope, event: PatientEvent, written: Written, run: Run
) -> ParseMessageResult:
    """Audits the parsed event, counts its warnings, and returns the values that the workflow's states use."""
    run.count("Warnings", len(event.warnings))
    run.count("MessagesWithWarnings", 1 if event.warnings else 0)
    run.log_warnings(event.warnings)
    feed.count(context, run, Signal.WARNINGS, bool(event.warnings))
    run.audit(
        AuditAction.PARSED,
        AuditOutcome.OK,
        trigger_event=event.trigger_event,
        patient_class=event.visit.patient_class,
        counts={
            "notes": len(event.notes),
            "skipped_notes": len(event.skipped_notes),
            "warnings": len(event.warnings),
        },
        warnings=event.warnings[:MAX_WARNINGS],
        documents=(written,),
    )
    return ParseMessageResult(
        event_id=event.event_id,
        sender=event.sender,
        received_at=envelope.received_at,
        trigger_event=event.trigger_event,
        changes_identity=event.changes_identity,
        version_id=written.version_id,
    )
