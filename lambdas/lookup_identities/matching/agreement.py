"""Compares a message's patient with the record that its identifiers name. Pure."""

from dataclasses import replace

from hl7.warnings import MessageWarning, WarningCode
from lambdas.common.contracts.message.patient import Patient
from lambdas.common.errors import IdentityConflictError
from lambdas.lookup_identities.matching.demographics import (
    birth_dates_agree,
    given,
    same_full_birth_date,
    sexes_agree,
    surnames_agree,
    surnames_share_a_name,
)
from lambdas.lookup_identities.matching.identifiers import listed
from lambdas.registry.records import Match, PatientRecord

EVIDENCE = ("PID-5.1", "PID-7")
"""One of these has to agree. Half of all patients have the same sex, so that it is no evidence."""


def agreement(
    patient: Patient, record: PatientRecord, *, identifier_alone: bool = False
) -> tuple[list[str], list[MessageWarning]]:
    """The positions that were compared and agree, and a warning where neither name nor birth date could be.

    That is enough with `identifier_alone` only. Raises `IdentityConflictError` naming every position
    that disagrees (rules: `demographics`), or those that could not be compared.
    """
    compared = {
        "PID-5.1": _surname_agrees(patient, record),
        # A birth date that is given and unreadable is not missing: it agrees with none.
        "PID-7": False
        if patient.birth_date_unreadable
        else birth_dates_agree(patient.birth_date, record.birth_date),
        "PID-8": sexes_agree(patient.sex, record.sex),
    }
    wrong = [position for position, agrees in compared.items() if agrees is False]
    if wrong:
        verb = "disagrees" if len(wrong) == 1 else "disagree"
        raise IdentityConflictError(f"{listed(wrong)} {verb} with the registry")
    agreed = [position for position, agrees in compared.items() if agrees]
    if any(position in agreed for position in EVIDENCE):
        return agreed, []
    if not identifier_alone:
        raise IdentityConflictError(
            f"{listed(EVIDENCE)} are missing in the message or in the registry, and an identifier"
            " alone is not enough (identifier_alone in the sender's file)"
        )
    return agreed, [MessageWarning(WarningCode.NOT_COMPARABLE, listed(EVIDENCE))]


def agreeing(patient: Patient, found: Match, *, identifier_alone: bool = False) -> Match:
    """The match with what `agreement` has to add; raises as it does."""
    agreed, uncompared = agreement(patient, found.record, identifier_alone=identifier_alone)
    return replace(
        found, matched_on=(*found.matched_on, *agreed), warnings=(*found.warnings, *uncompared)
    )


def _surname_agrees(patient: Patient, record: PatientRecord) -> bool | None:
    sent = patient.name.family
    known = [name for name in (record.family, *record.former_families) if given(name)]
    verdicts = [surnames_agree(sent, name) for name in known]
    if any(verdicts):
        return True
    if all(verdict is None for verdict in verdicts):
        return None
    if same_full_birth_date(patient.birth_date, record.birth_date):
        return any(surnames_share_a_name(sent, name) for name in known)
    return False
