"""Finds the patient of an event and its recipients, in the order of the step's look-ups."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.event_kind import DISCHARGES, EventKind
from lambdas.common.contracts.recipients.identities import Identities
from lambdas.common.contracts.recipients.policy import PolicyOutcome
from lambdas.common.contracts.recipients.recipient import Recipient, RelationshipType
from lambdas.common.errors import ConfigurationError
from lambdas.common.senders import SenderProfile
from lambdas.lookup_identities import smoke, stays
from lambdas.lookup_identities.care_team import fallbacks, recipients
from lambdas.lookup_identities.care_team.named_providers import identifier_pairs, named_providers
from lambdas.lookup_identities.care_team.preferences import NotificationSubject
from lambdas.lookup_identities.context import LookupContext
from lambdas.lookup_identities.event_keys import keys_of
from lambdas.lookup_identities.matching import agreement, identifiers
from lambdas.lookup_identities.matching.demographics import given
from lambdas.lookup_identities.matching.identifiers import (
    MAX_IDENTIFIER_CHARACTERS,
    UsableIdentifier,
)
from lambdas.lookup_identities.mpi.outcomes import AuthorityNotAllowedError
from lambdas.lookup_identities.mpi.query import Query, Tell, ask_mpi, telling_failures
from lambdas.lookup_identities.registry.authorities import check_mapped
from lambdas.policy.deciding import PolicyPatient
from lambdas.registry import table
from lambdas.registry.records import Match, Provider, Relationship
from lambdas.registry.table import CareFile, Filed

LEAVING = frozenset({*DISCHARGES, EventKind.TRANSFER})
"""Events at which PV1-37 names where the patient goes."""

MERGES = 5
"""How many merges of the registry are followed, one after the other."""


def resolve(
    context: LookupContext, event: PatientEvent, sender: SenderProfile, tell: Tell = lambda _: None
) -> Identities | None:
    """The patient and the recipients, or None when no patient has any of the identifiers.

    `tell` is called with every look-up and its outcome. Raises `UnprocessableMessageError` when no
    identifier names a patient. Raises `ConfigurationError` when the sender may not assert an authority,
    nobody mapped it, or the registry contradicts itself. Also raises `DependencyUnavailableError`, and
    `IdentityAmbiguousError` and `IdentityConflictError` (see `matching`).
    """
    authorities = sender.authorities
    usable, warnings = identifiers.usable_identifiers(event.patient.identifiers, authorities)
    with telling_failures(usable, tell):
        if faults := identifiers.authority_faults(usable, warnings):
            raise AuthorityNotAllowedError(", ".join(faults))
    # A letter shows the message's telephone number as that of the registry's patient.
    identifier_alone = sender.identifier_alone and not event.patient.phones
    # The smoke patient is in our own registry, whichever MPI knows the real ones.
    mpi = None if smoke.is_smoke(event) else context.mpi_client
    destination = _destination(event, authorities.default)
    patients = [] if mpi else [pair for one in usable for pair in one.pairs()]
    people = [pair for who in event.practitioners for pair in identifier_pairs(who)]
    filed = table.filed_under(context, patients, (*people, *destination))
    goes_to = [filed.providers[pair] for pair in destination if pair in filed.providers][:1]
    if mpi:
        found = ask_mpi(
            context, mpi, usable, event.patient, tell, identifier_alone=identifier_alone
        )
        care = _of_mpi(context, found, goes_to) if found else None
    else:
        with telling_failures(usable, tell):
            found, care = _in_registry(context, usable, filed, goes_to)
            if found is None:
                check_mapped(context, usable)
        tell(Query.of(usable, found))
        if found:
            found = agreement.agreeing(event.patient, found, identifier_alone=identifier_alone)
    if found is None or care is None:
        return None
    found = replace(found, warnings=(*warnings, *found.warnings))
    return _identities(context, event, found, care, filed, sender=sender, goes_to=goes_to)


def _in_registry(
    context: LookupContext, usable: Sequence[UsableIdentifier], filed: Filed, others: Sequence[str]
) -> tuple[Match | None, CareFile | None]:
    """The patient in the registry with their care team; an identifier of a merged patient names the survivor.

    A relationship or a consent that the survivor has too counts there alone.
    """
    files = _care_files(context, filed, others)
    survivors = {one: _survivor(one, files) for one in files}
    candidates = {
        pair: tuple(dict.fromkeys(survivors.get(one, one) for one in patients))
        for pair, patients in filed.patients.items()
    }
    patient_id, matched_on = identifiers.one_patient(usable, candidates)
    if not patient_id:
        return None, None
    care = files[patient_id]
    if care.record is None:
        raise ConfigurationError("the registry files an identifier under a patient whom it lacks")
    merged = [one for one in files if one != patient_id]
    every = [files[one] for one in (*merged, patient_id)]
    before = [earlier for one in files for earlier in filed.merged.get(one, ())]
    found = Match(care.record, tuple(matched_on), tuple(dict.fromkeys((*before, *merged))))
    return found, _joined(every)


def _of_mpi(context: LookupContext, found: Match, others: Sequence[str]) -> CareFile:
    """The file of an MPI's patient, with those of the patients whom the MPI has merged into them."""
    patients = (*found.merged_from, found.record.patient_id)
    return _joined([table.care_file(context, one, others=others) for one in patients])


def _joined(files: Sequence[CareFile]) -> CareFile:
    """One file of those of one patient, the surviving one's last: a relationship counts as it is there.

    A merge in the registry copies a consent to the surviving patient. The copy alone counts then: it may
    have ended since.
    """
    ids = {one.record.patient_id for one in files if one.record}
    merged = [one for one in files if one.record and one.record.merged_into in ids]
    copied = {own.consent_id for one in files if one not in merged for own in one.consents}
    consents = (
        own
        for one in files
        for own in one.consents
        if one not in merged or own.consent_id not in copied
    )
    related: dict[str, Relationship] = {}
    for known in (known for one in files for known in one.relationships):
        earlier = related.get(known.provider_id, known)
        related[known.provider_id] = known.joined(earlier)
    return CareFile(
        record=files[-1].record,
        relationships=list(related.values()),
        providers={key: known for one in files for key, known in one.providers.items()},
        consents=tuple(dict.fromkeys(consents)),
    )


def _care_files(context: LookupContext, filed: Filed, others: Sequence[str]) -> dict[str, CareFile]:
    """The files of the patients whom the identifiers name, and of those into whom they were merged, by id.

    None where they name more patients than one can be merged of, such as a number that stands for no
    number.
    """
    waiting = list(dict.fromkeys(one for patients in filed.patients.values() for one in patients))
    files: dict[str, CareFile] = {}
    if len(waiting) > MERGES + 1:
        return files
    most = len(waiting) + MERGES
    while waiting and len(files) < most:
        patient_id = waiting.pop(0)
        care = table.care_file(context, patient_id, filed.hints.get(patient_id, ()), others)
        files[patient_id] = care
        into = care.record.merged_into if care.record else ""
        if into and into not in (*files, *waiting):
            waiting.append(into)
    return files


def _survivor(patient_id: str, files: Mapping[str, CareFile]) -> str:
    """The patient into whom one was merged at last; themselves where into nobody."""
    seen = {patient_id}
    while (record := files[patient_id].record) and record.merged_into:
        patient_id = record.merged_into
        if patient_id in seen or patient_id not in files:
            raise ConfigurationError("the registry's merges of a patient do not end")
        seen.add(patient_id)
    return patient_id


def _identities(
    context: LookupContext,
    event: PatientEvent,
    found: Match,
    care: CareFile,
    filed: Filed,
    *,
    sender: SenderProfile,
    goes_to: Sequence[str],
) -> Identities:
    facts = NotificationSubject.of(event, sender.today())
    keys = keys_of(context, event)
    patient_ref = keys.reference("patient", found.record.patient_id)
    merged_from = tuple(keys.reference("patient", merged) for merged in found.merged_from)
    flags = stays.flags_of(
        context,
        event.decision,
        keys.references("patient", found.record.patient_id),
        [ref for merged in found.merged_from for ref in keys.references("patient", merged)],
    )
    known = dict(care.providers)
    recently = _filed_facilities(context, stays.post_acute_codes(context, flags))
    known.update(table.providers(context, set(recently) - known.keys()))
    for _ in range(2):  # the surrogates of providers, and those of surrogates who are told
        known.update(table.providers(context, fallbacks.surrogates(known.values()) - known.keys()))
    related = [known[r.provider_id] for r in care.relationships if r.provider_id in known]
    named, misnamed = named_providers(event.practitioners, related, filed.providers)
    directory = None if smoke.is_smoke(event) else context.provider_directory
    team = recipients.CareTeam(
        relationships=_with_destination(care.relationships, known, (*goes_to, *recently)),
        providers=directory.validated(known) if directory else known,
        named=named,
        event=facts,
    )
    reference = partial(keys.reference, "recipient")
    born = found.record.birth_date or event.patient.birth_date[:10]
    patient = PolicyPatient(birth_date=born, consents=care.consents)
    team = replace(team, closed=_closed(context, event, sender, patient, team))
    chosen, considered = recipients.choose(team, reference)
    chosen, stand_ins = fallbacks.with_fallbacks(chosen, team.providers, reference)
    return Identities(
        patient_ref=patient_ref,
        matched_on=found.matched_on,
        patient_id=found.record.patient_id,
        merged_ids=found.merged_from,
        recipients=tuple(_in_zone_of(sender, one) for one in chosen),
        considered=considered,
        warnings=(*found.warnings, *misnamed),
        merged_from=merged_from,
        fallbacks=stand_ins,
        flags=flags,
        discharged_to=next(
            (known[one].name.display() for one in goes_to if one in known and known[one].facility),
            "",
        ),
        birth_date=born,
        consents=care.consents,
    )


def _closed(
    context: LookupContext,
    event: PatientEvent,
    sender: SenderProfile,
    patient: PolicyPatient,
    team: recipients.CareTeam,
) -> frozenset[str]:
    """The ids of surrogates whom the policy lets be told nothing: the absent provider keeps the notice."""
    chosen, _ = recipients.choose(team, str)
    instead = [one for one in chosen if one.stands_for]
    return frozenset(
        one.provider_id
        for one in instead
        for decision in [context.gate(sender).decision(patient, event, one, one.addressees[0])]
        if decision.outcome is PolicyOutcome.SUPPRESS
    )


def _in_zone_of(sender: SenderProfile, recipient: Recipient) -> Recipient:
    """The recipient; one without a time zone has that of the hospital, for quiet hours and summaries."""
    zone = sender.zone.key if sender.zone else ""
    return replace(recipient, time_zone=recipient.time_zone or zone)


def _destination(event: PatientEvent, authority: str) -> list[tuple[str, str]]:
    """The pair under which the registry would file the facility of PV1-37: the sender's own code."""
    code = given(event.visit.discharged_to)
    notices = event.decision.notices if event.decision else ()
    kinds = {event.event_kind, *(notice.kind for notice in notices)}
    usable = bool(authority) and 0 < len(code) <= MAX_IDENTIFIER_CHARACTERS
    if not kinds & LEAVING or not usable:
        return []
    return [(authority, code)]


def _filed_facilities(context: LookupContext, pairs: Sequence[tuple[str, str]]) -> list[str]:
    """The ids of the providers whom the registry files under these pairs."""
    short = [pair for pair in pairs if len(pair[1]) <= MAX_IDENTIFIER_CHARACTERS]
    return list(table.filed_under(context, (), short).providers.values()) if short else []


def _with_destination(
    relationships: Sequence[Relationship], known: dict[str, Provider], goes_to: Sequence[str]
) -> list[Relationship]:
    """The relationships, and with them that of the facility to which the patient goes.

    Only a provider whom the registry files as a facility becomes one this way: a code in the message
    can name no person.
    """
    found = {relationship.provider_id: relationship for relationship in relationships}
    for provider_id in goes_to:
        if provider_id in known and known[provider_id].facility:
            before = found.get(provider_id, Relationship(provider_id))
            types = before.types if before.active else ()
            found[provider_id] = replace(
                before,
                types=tuple(dict.fromkeys((*types, RelationshipType.POST_ACUTE))),
                active=True,
                by_event=True,
            )
    return list(found.values())
