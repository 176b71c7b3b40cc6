"""Who the patient of an event is, and who is to be told: the step's questions in their order."""

from lambdas.common.keys import reference_keys
from lambdas.common.models import Identities, PatientEvent
from lambdas.lookup_identities import matching, naming, recipients, registry


def resolve(event: PatientEvent, default_authority: str) -> Identities | None:
    """The patient and the recipients, or None when the registry knows none of the identifiers.

    Raises `IdentityAmbiguousError` and `IdentityConflictError` (see `matching`),
    `ConfigurationError` when the registry contradicts itself, and `DependencyUnavailableError`.
    """
    usable, warnings = matching.usable_identifiers(event.patient.identifiers, default_authority)
    filed = registry.filed_under(
        (pair for identifier in usable for pair in identifier.pairs()),
        (pair for who in event.practitioners for pair in naming.identifier_pairs(who)),
    )
    patient_id, matched_on = matching.one_patient(usable, filed.patients)
    if not patient_id:
        return None
    record, relationships = registry.patient_with_relationships(patient_id)
    agreed, uncompared = matching.agreement(event.patient, record)
    related = registry.providers(known.provider_id for known in relationships)
    named, misnamed = naming.named_providers(event.practitioners, related.values(), filed.providers)
    keys = reference_keys()
    chosen, considered = recipients.choose(
        relationships, related, named, lambda provider_id: keys.reference("recipient", provider_id)
    )
    return Identities(
        patient_ref=keys.reference("patient", patient_id),
        matched_on=(*matched_on, *agreed),
        patient_id=patient_id,
        recipients=chosen,
        considered=considered,
        warnings=(*warnings, *uncompared, *misnamed),
    )
