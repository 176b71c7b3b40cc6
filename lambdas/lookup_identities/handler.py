"""LookupIdentities: the patient of the event in the registry, and the providers to be told."""

from functools import partial

from lambdas.common.errors import IdentityNotFoundError
from lambdas.common.keys import reference_keys
from lambdas.common.log import Result, Run, Task, step
from lambdas.common.models import CANCELS, PatientEvent
from lambdas.common.senders import sender_named
from lambdas.common.vault import read_document, write_document
from lambdas.lookup_identities.resolving import Query, resolve
from lambdas.lookup_identities.retraction import withdrawn
from lambdas.lookup_identities.settings import patient_backend


@step("LookupIdentities")
def lambda_handler(task: Task, run: Run) -> Result:
    """The references of patient and recipients; writes `identities.json`.

    Raises `IdentityNotFoundError`, `IdentityAmbiguousError`, `IdentityConflictError`,
    `ConfigurationError` or `DependencyUnavailableError`.
    """
    document = read_document(run.event_id, "event.json", task["parsed"]["version_id"])
    event = PatientEvent.from_dict(document)
    authority = sender_named(run.sender).default_assigning_authority
    identities = resolve(event, authority, partial(audit_query, run))
    if identities is None:
        run.count("UnknownPatients")
        run.audit("UNKNOWN_PATIENT", "unknown_patient")
        raise IdentityNotFoundError(
            "PID-3, PID-2, PID-4: the registry knows none of the identifiers"
        )
    if event.kind in CANCELS:
        encounter_ref = task["parsed"].get("encounter_ref", "")
        identities = withdrawn(identities, event.kind, run.event_id, encounter_ref)

    written = write_document(run.event_id, "identities.json", identities.to_dict())
    told = [
        {"recipient_ref": recipient.recipient_ref, "reasons": list(recipient.reasons)}
        for recipient in identities.recipients
    ]
    refused = [
        {
            "recipient_ref": weighed.recipient_ref,
            "relationship": weighed.relationship,
            "reason": weighed.reason,
        }
        for weighed in identities.considered
    ]
    action, outcome = ("RESOLVED", "ok") if told else ("NO_RECIPIENT", "no_recipient")
    run.count("Recipients", len(told))
    run.audit(
        action,
        outcome,
        patient_ref=identities.patient_ref,
        recipients=told,
        considered=refused,
        warnings=list(identities.warnings),
        merged_from=list(identities.merged_from),
        documents=[written.to_dict()],
    )
    return {
        "patient_ref": identities.patient_ref,
        "recipient_count": len(told),
        "recipients": told,
        "considered": len(refused),
        "version_id": written.version_id,
    }


def audit_query(run: Run, query: Query) -> None:
    """Writes the one entry of a question to an index outside: what was asked by reference, no answer.

    IHE ITI TF-2 3.9.5.1 and 3.21.5.1 ask for such an entry of both query transactions.
    """
    keys = reference_keys()
    run.audit(
        "QUERIED",
        "failed" if query.outcome in ("unavailable", "failed") else "ok",
        backend=patient_backend(),
        asked=[keys.reference("identifier", *pair) for pair in query.asked],
        answer=query.outcome,
    )
