"""LookupIdentities: the patient of the event in the registry, and the providers to be told."""

from lambdas.common.errors import IdentityNotFoundError
from lambdas.common.log import Result, Run, Task, step
from lambdas.common.models import PatientEvent
from lambdas.common.senders import sender_named
from lambdas.common.vault import read_document, write_document
from lambdas.lookup_identities.resolving import resolve


@step("LookupIdentities")
def lambda_handler(task: Task, run: Run) -> Result:
    """The references of patient and recipients; writes `identities.json`.

    Raises `IdentityNotFoundError`, `IdentityAmbiguousError`, `IdentityConflictError`,
    `ConfigurationError` or `DependencyUnavailableError`.
    """
    document = read_document(run.event_id, "event.json", task["parsed"]["version_id"])
    event = PatientEvent.from_dict(document)
    identities = resolve(event, sender_named(run.sender).default_assigning_authority)
    if identities is None:
        run.count("UnknownPatients")
        run.audit("UNKNOWN_PATIENT", "unknown_patient")
        raise IdentityNotFoundError(
            "PID-3, PID-2, PID-4: the registry knows none of the identifiers"
        )

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
        documents=[written.to_dict()],
    )
    return {
        "patient_ref": identities.patient_ref,
        "recipient_count": len(told),
        "recipients": told,
        "considered": len(refused),
        "version_id": written.version_id,
    }
