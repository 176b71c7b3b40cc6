"""The parts of LookupIdentities' audit entries: who is told, who is suppressed, and what was queried."""

from lambdas.common.contracts.audit import AuditAction, AuditOutcome, ToldRecipient
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.recipients.identities import Identities
from lambdas.common.function.handler import Run
from lambdas.lookup_identities.context import LookupContext
from lambdas.lookup_identities.mpi.outcomes import AUTHORITY_OUTCOMES, MpiOutcome
from lambdas.lookup_identities.mpi.query import Query

FAILED_QUERIES = frozenset({MpiOutcome.UNAVAILABLE, MpiOutcome.FAILED, *AUTHORITY_OUTCOMES})


def told_recipients(identities: Identities) -> tuple[ToldRecipient, ...]:
    """Every addressee with their reasons, the way they are told, and the rule that allows it."""
    return tuple(
        ToldRecipient(
            one.recipient_ref,
            one.reasons,
            mail.detail,
            mail.analysis,
            told_with=mail.recipient_ref if one in mail.also else "",
            policy_file=mail.policy.rule.file,
            policy_rule=mail.policy.rule.rule,
            policy_version=mail.policy.rule.version,
            consent_id=mail.policy.consent_id,
            left_out=mail.policy.left_out,
            other_patient=mail.other_patient,
        )
        for mail in identities.recipients
        for one in mail.addressees
    )


def note_suppressed(event: PatientEvent, identities: Identities, run: Run) -> None:
    """Notes an entry for each recipient whom the policy suppressed: the index `by_recipient` leads to it."""
    for one in (one for one in identities.considered if one.policy_rule):
        run.note(
            AuditAction.SUPPRESSED,
            AuditOutcome.SUPPRESSED,
            event_kind=event.event_kind,
            patient_ref=identities.patient_ref,
            recipient_ref=one.recipient_ref,
            reasons=(one.relationship,),
            suppressed_because=one.reason,
            policy_file=one.policy_file,
            policy_rule=one.policy_rule,
            policy_version=one.policy_version,
            consent_id=one.consent_id or None,
        )


def note_query(context: LookupContext, run: Run, query: Query) -> None:
    """Notes the one entry of a look-up: the references of the identifiers, never the answer.

    IHE ITI TF-2 3.9.5.1 and 3.21.5.1 ask for such an entry of both query transactions.
    """
    keys = context.reference_keys
    if query.outcome in AUTHORITY_OUTCOMES:
        run.count("AuthorityNotUsable")
    run.note(
        AuditAction.QUERIED,
        AuditOutcome.FAILED if query.outcome in FAILED_QUERIES else AuditOutcome.OK,
        backend=context.settings.mpi_client_name,
        asked=tuple(keys.reference("identifier", *pair) for pair in query.asked),
        answer=query.outcome,
        from_cache=query.from_cache,
    )
