"""The patient's stays at all senders: links the event's own to the patient, and computes its flags."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from lambdas.common.clock import iso
from lambdas.common.contracts.encounters.encounter import Audience, Decision
from lambdas.common.contracts.encounters.stay_flags import FlagKind, StayFlag
from lambdas.common.senders import sender_named
from lambdas.common.sensitive_codes import categories_of_words
from lambdas.encounters.flags import flags
from lambdas.encounters.indexes import link, of_patient
from lambdas.encounters.items import EncounterSummary
from lambdas.lookup_identities.context import LookupContext

LOOK_BACK = timedelta(days=365)
"""The other stays began at most this long before this one. A flag counts from the end of a long stay."""


def flags_of(
    context: LookupContext,
    decision: Decision | None,
    patient_refs: Sequence[str],
    merged: Iterable[str],
) -> tuple[StayFlag, ...]:
    """Links the stay of a decision to its patient, and returns its flags.

    `patient_refs` are the patient's references under each key, that of the event first. `merged` are the
    references of patients who were merged into this one. Cancellations, corrections and updates have no
    flags. Raises `DependencyUnavailableError`.
    """
    if decision is None or not decision.encounter_key:
        return ()
    if all(notice.audience is Audience.TOLD for notice in decision.notices):
        return ()
    present = link(context, decision.encounter_key, decision.encounter_id, patient_refs[0])
    if present is None:
        return ()
    others = _others(context, present, patient_refs, merged)
    return tuple(_with_hospitals(context, flag, present.sender) for flag in flags(present, others))


def _others(
    context: LookupContext,
    present: EncounterSummary,
    patient_refs: Sequence[str],
    merged: Iterable[str],
) -> list[EncounterSummary]:
    """The patient's stays, with those that were recorded before the registry knew the patient.

    Such stays are linked now: they were loaded, too old to be told, or of a patient not yet filed.
    """
    since = iso(datetime.fromisoformat(present.began_at) - LOOK_BACK)
    found = [stay for ref in patient_refs for stay in of_patient(context, ref, since)]
    for earlier_ref in (*merged, *present.patient_keys):
        for stay in of_patient(context, earlier_ref, since):
            linked = link(context, stay.pk, stay.encounter_id, patient_refs[0])
            found += [linked] if linked else []
    return found


def post_acute_codes(context: LookupContext, found: Iterable[StayFlag]) -> list[tuple[str, str]]:
    """The (authority, code) pairs of the post-acute facility to which the patient was discharged recently."""
    pairs = (
        (sender_named(context, stay.sender).default_assigning_authority, stay.discharged_to)
        for flag in found
        if flag.kind is FlagKind.RECENT_POST_ACUTE
        for stay in flag.stays
    )
    return [pair for pair in pairs if all(pair)]


def _with_hospitals(context: LookupContext, flag: StayFlag, sender: str) -> StayFlag:
    """The flag with the hospitals' names for readers of a letter from `sender`.

    Another hospital whose name says a sensitive category is not named: nobody decided whether the reader
    may know of that care.
    """
    stays = []
    for stay in flag.stays:
        name = sender_named(context, stay.sender).display_name
        if stay.sender != sender and categories_of_words(name):
            stays.append(replace(stay, facility=""))
        else:
            stays.append(replace(stay, hospital=name))
    return replace(flag, stays=tuple(stays))
