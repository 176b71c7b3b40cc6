"""LookupIdentities: the patient of the event in the registry, and the providers to be told."""

from datetime import UTC, datetime
from functools import partial

from lambdas.common.aws.vault import read_document, write_document
from lambdas.common.contracts.audit import AuditAction, AuditOutcome, AuditStep
from lambdas.common.contracts.document import Written
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.recipients.identities import Identities
from lambdas.common.contracts.recipients.policy import LeftOut
from lambdas.common.contracts.recipients.preferences import CostMode
from lambdas.common.contracts.workflow.tasks import (
    ROSTERS,
    LookupIdentitiesInput,
    LookupIdentitiesResult,
    RecipientReference,
    RosterCount,
)
from lambdas.common.errors import IdentityNotFoundError
from lambdas.common.feed import counts as feed
from lambdas.common.feed.shares import Signal
from lambdas.common.function.handler import Run, step
from lambdas.common.senders import SenderAuthorities, sender_of_message, sender_profile
from lambdas.delivery.ledger.encounters import NotifiedEvent
from lambdas.lookup_identities import smoke
from lambdas.lookup_identities.audit import note_query, note_suppressed, told_recipients
from lambdas.lookup_identities.care_team.audiences import of_notices
from lambdas.lookup_identities.care_team.shared_mailboxes import one_mail_each
from lambdas.lookup_identities.context import LookupContext, LookupSettings
from lambdas.lookup_identities.matching.identifiers import usable_identifiers
from lambdas.lookup_identities.mpi import cache
from lambdas.lookup_identities.registry.rosters import ending
from lambdas.lookup_identities.resolving import resolve

NOT_READ = frozenset({LeftOut.FINDINGS, LeftOut.MINIMAL})
"""Parts without which a recipient is told nothing that was read in the notes."""


@step(
    AuditStep.LOOKUP_IDENTITIES,
    LookupIdentitiesInput,
    lambda: LookupContext(LookupSettings.from_environment()),
)
def lambda_handler(
    task: LookupIdentitiesInput, run: Run, context: LookupContext
) -> LookupIdentitiesResult | RosterCount:
    """The references of patient and recipients; writes `identities.json`.

    Called by the clock, without an envelope, it counts the rosters that end soon. For an event
    that changes identities and sends no notice, it deletes the cached answers about its identifiers.
    Raises `IdentityNotFoundError`, `IdentityAmbiguousError`, `IdentityConflictError`,
    `UnprocessableMessageError`, `ConfigurationError` or `DependencyUnavailableError`.
    """
    if run.event_id == ROSTERS:
        return _rosters_counted(context, run)
    event = read_document(context, run.event_id, PatientEvent, task.parsed.version_id)
    sender = sender_profile(sender_of_message(context, run.sender))
    if smoke.is_smoke(event):
        smoke.check_patient(event)
    if not event.notifiable:
        return _drop_cached_answers(context, event, sender.authorities, run)
    context.renew_clients()
    identities = resolve(context, event, sender, partial(note_query, context, run))
    _count_look_up(context, run, identities is not None)
    if identities is None:
        _, warnings = usable_identifiers(event.patient.identifiers, sender.authorities)
        run.log_warnings(warnings)
        run.audit(
            AuditAction.UNKNOWN_PATIENT,
            AuditOutcome.UNKNOWN_PATIENT,
            event_kind=event.event_kind,
            warnings=tuple(warnings),
        )
        raise IdentityNotFoundError(
            "PID-3, PID-2, PID-4: the registry knows none of the identifiers"
        )
    if smoke.is_smoke(event):
        smoke.check_recipients(identities)
    if event.decision:
        occasion = NotifiedEvent.of(event, task.envelope.received_at)
        identities = of_notices(context, identities, event.decision, occasion)
    identities = one_mail_each(context.gate(sender).passed(identities, event))
    written = write_document(context, run.event_id, Identities, identities)
    return _recorded(event, identities, written, run)


def _rosters_counted(context: LookupContext, run: Run) -> RosterCount:
    """The number of rosters that end soon; the log names the subscribers by reference."""
    soon = [
        context.reference_keys.reference("recipient", one)
        for one in sorted(ending(context, datetime.now(UTC).date()))
    ]
    run.count("RostersEnding", len(soon))
    for recipient_ref in soon:
        run.logger.info("a roster ends soon", recipient_ref=recipient_ref)
    return RosterCount(ending=len(soon))


def _recorded(
    event: PatientEvent, identities: Identities, written: Written, run: Run
) -> LookupIdentitiesResult:
    """Audits who is told and who is not; returns references, and how each is told, for the workflow."""
    told = told_recipients(identities)
    action, outcome = (
        (AuditAction.RESOLVED, AuditOutcome.OK)
        if told
        else (AuditAction.NO_RECIPIENT, AuditOutcome.NO_RECIPIENT)
    )
    run.count("Recipients", len(told))
    run.count("ReducedByPolicy", sum(bool(one.left_out) for one in told))
    run.count("SuppressedByPolicy", sum(bool(one.policy_rule) for one in identities.considered))
    run.log_warnings(identities.warnings)
    note_suppressed(event, identities, run)
    run.audit(
        action,
        outcome,
        event_kind=event.event_kind,
        patient_ref=identities.patient_ref,
        recipients=told,
        considered=identities.considered,
        warnings=identities.warnings,
        merged_from=identities.merged_from,
        flags=tuple(flag.kind for flag in identities.flags) or None,
        documents=(written,),
    )
    return LookupIdentitiesResult(
        patient_ref=identities.patient_ref,
        recipient_count=len(identities.recipients),
        recipients=tuple(
            RecipientReference(
                recipient_ref=one.recipient_ref,
                detail=one.detail,
                analysis=CostMode.OFF
                if NOT_READ.intersection(one.policy.left_out)
                else one.analysis,
                second=one.second,
            )
            for one in identities.recipients
        ),
        version_id=written.version_id,
    )


def _count_look_up(context: LookupContext, run: Run, known: bool) -> None:
    """Counts the look-up in the metrics, and in the sender's feed."""
    run.count("PatientsLookedUp")
    run.count("UnknownPatients", 0 if known else 1)
    feed.count(context, run, Signal.KNOWN_PATIENTS, known)


def _drop_cached_answers(
    context: LookupContext, event: PatientEvent, authorities: SenderAuthorities, run: Run
) -> LookupIdentitiesResult:
    """Deletes the cached MPI answers for every identifier in the event, which sends no notice."""
    usable, _ = usable_identifiers(event.patient.identifiers, authorities)
    others, _ = usable_identifiers(event.other_identifiers, authorities)
    run.audit(
        AuditAction.IDENTITY_CHANGED,
        AuditOutcome.OK,
        trigger_event=event.trigger_event,
        identifiers=tuple(cache.forget(context, usable)),
        others=tuple(cache.forget(context, others)),
    )
    return LookupIdentitiesResult()
