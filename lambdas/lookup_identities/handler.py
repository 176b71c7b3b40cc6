"""LookupIdentities: the patient of the event in the registry, and the providers to be told."""

from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial

from lambdas.common.aws.vault import Written, read_document, write_document
from lambdas.common.contracts.models import CANCELS, Identities, PatientEvent
from lambdas.common.errors import IdentityNotFoundError
from lambdas.common.handler import Result, Run, Task, of_envelope, step
from lambdas.common.keys import reference_keys
from lambdas.common.senders import sender_named
from lambdas.delivery.ledger.encounters import Occasion
from lambdas.lookup_identities import smoke
from lambdas.lookup_identities.care_team.cancellation import withdrawn
from lambdas.lookup_identities.matching.identifiers import usable_identifiers
from lambdas.lookup_identities.mpi import cache
from lambdas.lookup_identities.mpi.client import Query
from lambdas.lookup_identities.registry.rosters import ending
from lambdas.lookup_identities.resolving import resolve
from lambdas.lookup_identities.settings import patient_backend

ROSTERS = "rosters"
"""The chain under which a failure of the daily look at rosters is audited: it serves no single event."""


def _event_id(task: Task) -> str:
    return ROSTERS if "envelope" not in task else of_envelope(task)


@step("LookupIdentities", event_id_of=_event_id)
def lambda_handler(task: Task, run: Run) -> Result:
    """The references of patient and recipients; writes `identities.json`.

    Called by the clock, without an envelope, it counts the rosters that end soon. An event that tells
    nobody comes here because it changes who patients are: what was kept about them is forgotten.
    Raises `IdentityNotFoundError`, `IdentityAmbiguousError`, `IdentityConflictError`,
    `ConfigurationError` or `DependencyUnavailableError`.
    """
    if run.event_id == ROSTERS:
        return _rosters_counted(run)
    document = read_document(run.event_id, "event.json", task["parsed"]["version_id"])
    event = PatientEvent.from_dict(document)
    authority = sender_named(run.sender).default_assigning_authority
    if smoke.is_smoke(event):
        smoke.check_patient(event)
    if not event.notifiable:
        return _forgotten(event, authority, run)
    identities = resolve(event, authority, partial(_note_query, run))
    if identities is None:
        run.count("UnknownPatients")
        run.audit("UNKNOWN_PATIENT", "unknown_patient")
        raise IdentityNotFoundError(
            "PID-3, PID-2, PID-4: the registry knows none of the identifiers"
        )
    if smoke.is_smoke(event):
        smoke.check_recipients(identities)
    if event.kind in CANCELS:
        encounter_ref = task["parsed"].get("encounter_ref", "")
        cancellation = Occasion.of(event, task["envelope"]["received_at"])
        identities = withdrawn(identities, encounter_ref, cancellation)
    written = write_document(run.event_id, "identities.json", identities.to_dict())
    return _recorded(identities, written, run)


def _rosters_counted(run: Run) -> Result:
    """How many rosters end soon; the log names the subscribers by reference."""
    soon = [
        reference_keys().reference("recipient", one)
        for one in sorted(ending(datetime.now(UTC).date()))
    ]
    run.count("RostersEnding", len(soon))
    for recipient_ref in soon:
        run.logger.info("a roster ends soon", recipient_ref=recipient_ref)
    return {"ending": len(soon)}


def _recorded(identities: Identities, written: Written, run: Run) -> Result:
    """Audits who is told and who is not; returns references, and how each is told, for the workflow."""
    told = [
        {
            "recipient_ref": recipient.recipient_ref,
            "reasons": list(recipient.reasons),
            # How much of the notes is analysed hangs on who is told, and how.
            "detail": recipient.detail,
            "analysis": recipient.analysis,
        }
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
        warnings=[asdict(warning) for warning in identities.warnings],
        merged_from=list(identities.merged_from),
        documents=[written.to_dict()],
    )
    return {
        "patient_ref": identities.patient_ref,
        "recipient_count": len(told),
        "recipients": [
            {name: one[name] for name in ("recipient_ref", "detail", "analysis")} for one in told
        ],
        "version_id": written.version_id,
    }


def _note_query(run: Run, query: Query) -> None:
    """Notes the one entry of a look-up: what was asked by reference, and never what was answered.

    IHE ITI TF-2 3.9.5.1 and 3.21.5.1 ask for such an entry of both query transactions.
    """
    keys = reference_keys()
    run.note(
        "QUERIED",
        "failed" if query.outcome in ("unavailable", "failed") else "ok",
        backend=patient_backend(),
        asked=[keys.reference("identifier", *pair) for pair in query.asked],
        answer=query.outcome,
        kept=query.kept,
    )


def _forgotten(event: PatientEvent, authority: str, run: Run) -> Result:
    """Forgets the answers about everybody whom the event names, merged and surviving; tells nobody."""
    usable, _ = usable_identifiers(event.patient.identifiers, authority)
    others, _ = usable_identifiers(event.other_identifiers, authority)
    run.audit(
        "IDENTITY_CHANGED",
        "ok",
        trigger_event=event.trigger_event,
        identifiers=list(cache.forget(usable)),
        others=list(cache.forget(others)),
    )
    return {"recipient_count": 0, "recipients": []}
