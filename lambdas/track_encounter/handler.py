"""TrackEncounter: decides what the event means for its encounter, and adds the decision to `event.json`."""

from datetime import UTC, datetime
from functools import partial

from lambdas.common.aws.vault import read_document, write_document
from lambdas.common.contracts.audit import AuditAction, AuditOutcome, AuditStep
from lambdas.common.contracts.document import Written
from lambdas.common.contracts.encounters.encounter import Decision, Encounter
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.workflow.tasks import (
    CLOSINGS,
    ClosingCount,
    ParseMessageResult,
    TrackEncounterInput,
)
from lambdas.common.function.handler import Run, step
from lambdas.common.senders import sender_of_message
from lambdas.encounters.context import EncountersContext, EncountersSettings
from lambdas.encounters.table import EncounterTable
from lambdas.track_encounter.closing import close_due
from lambdas.track_encounter.profile import profile_of
from lambdas.track_encounter.reading import encounter_message, further_messages
from lambdas.track_encounter.tracking import track


@step(
    AuditStep.TRACK_ENCOUNTER,
    TrackEncounterInput,
    lambda: EncountersContext(EncountersSettings.from_environment()),
)
def lambda_handler(
    task: TrackEncounterInput, run: Run, context: EncountersContext
) -> ParseMessageResult | ClosingCount:
    """Returns the codes of the event with the decided kind; writes `event.json` with the decision.

    A second run returns the first run's decision. Called by the clock, without an envelope, it closes
    stays whose end never came. Raises `IdentityConflictError` when the encounter belongs to another
    patient, `UnprocessableMessageError` for a move of several stays, and `DependencyUnavailableError`.
    """
    if run.event_id == CLOSINGS:
        return _closed_by_clock(context, run)
    received_at = task.envelope.received_at
    if task.duplicate:
        return ParseMessageResult(
            event_id=run.event_id, sender=run.sender, received_at=received_at, duplicate=True
        )
    event = read_document(context, run.event_id, PatientEvent, task.parsed.version_id)
    profile = profile_of(run.sender, sender_of_message(context, run.sender))
    heard = (event, profile, context.reference_keys, received_at)
    store, now = EncounterTable(context), partial(datetime.now, UTC)
    for further in further_messages(*heard):
        track(store, further, profile, now)
    decision = track(store, encounter_message(*heard), profile, now)
    decided = event.decided(decision)
    written = write_document(context, run.event_id, PatientEvent, decided)
    _audit(decision, decided, written, run, received_at)
    return ParseMessageResult(
        event_id=run.event_id,
        sender=run.sender,
        received_at=received_at,
        trigger_event=event.trigger_event,
        event_kind=decided.event_kind,
        encounter_ref=decision.encounter_id,
        notifiable=decided.notifiable,
        changes_identity=event.changes_identity,
        version_id=written.version_id,
    )


def _closed_by_clock(context: EncountersContext, run: Run) -> ClosingCount:
    """Closes the due encounters; each closing is an entry in the chain of the encounter's first event."""

    def audit(encounter: Encounter) -> None:
        closed = run.entry(
            AuditAction.STAY_CLOSED,
            AuditOutcome.OK,
            encounter_ref=encounter.encounter_id,
            sender=encounter.sender,
        )
        run.audit_of(encounter.encounter_id, closed)

    count = close_due(context, audit)
    run.count("StaysClosed", count)
    return ClosingCount(closed=count)


def _audit(
    decision: Decision, event: PatientEvent, written: Written, run: Run, received_at: str
) -> None:
    """Audits the decision with the times from which `ens report cop` computes how late events arrive."""
    about = [event_id for notice in decision.notices for event_id in notice.about]
    if decision.reason:
        run.count(f"Decision_{decision.reason}")
    run.audit(
        AuditAction.DECIDED if decision.notices else AuditAction.NOT_NOTIFIABLE,
        AuditOutcome.OK if decision.notices else AuditOutcome.NOT_NOTIFIABLE,
        trigger_event=event.trigger_event,
        event_kind=event.event_kind,
        encounter_ref=decision.encounter_id or None,
        event_time=decision.notices[0].at or None if decision.notices else None,
        received_at=received_at,
        decision_reason=decision.reason,
        about=tuple(dict.fromkeys(about)) or None,
        documents=(written,),
    )
