"""Leaves out of an event the parts that the policy hides from a recipient. Pure."""

from collections.abc import Iterable
from dataclasses import replace

from lambdas.common.contracts.encounters.encounter import Change, Decision
from lambdas.common.contracts.findings import (
    ClinicalFindings,
    Finding,
    FindingsOutcome,
    SetAsideReason,
)
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.visit import CodedText, Location, Visit
from lambdas.common.contracts.recipients.consent import Sensitivity
from lambdas.common.contracts.recipients.policy import LeftOut, PolicyDecision
from lambdas.common.contracts.recipients.recipient import Recipient
from lambdas.common.sensitive_codes import categories_of_code, categories_of_words
from lambdas.delivery.letter.told import Told

EVERYTHING = frozenset(LeftOut)
"""`minimal` leaves out every part."""

CHANGES = {
    LeftOut.DIAGNOSIS: {Change.DIAGNOSIS},
    LeftOut.DESTINATION: {Change.DISPOSITION, Change.DESTINATION},
}
"""The details of an update that a part holds."""

SOURCES = {"PV2-3": LeftOut.REASON, "DG1": LeftOut.DIAGNOSIS}
"""Fields that a letter shows by themselves, by the beginning of a finding's field."""


def reduced(told: Told, recipient: Recipient) -> Told:
    """The event without the parts that the policy hides from this recipient."""
    left_out = parts_left_out(recipient.policy, told)
    return replace(
        told,
        event=_reduced_event(told.event, left_out),
        clinical=_reduced_findings(told.clinical, left_out),
        discharged_to="" if LeftOut.DESTINATION in left_out else told.discharged_to,
    )


def parts_left_out(policy: PolicyDecision, told: Told) -> frozenset[LeftOut]:
    """The parts to leave out: the decision's, and the findings where one is of a hidden category.

    A finding in the reason of the visit or in a diagnosis leaves that out too. So does the registry's name
    of the facility of PV1-37 the place of discharge: the message had only its code.
    """
    if LeftOut.MINIMAL in policy.left_out:
        return EVERYTHING
    left_out = set(policy.left_out)
    if categories_of_words(told.discharged_to).intersection(policy.hidden_findings):
        left_out.add(LeftOut.DESTINATION)
    for finding in _shown(told.clinical):
        if categories_of(finding).intersection(policy.hidden_findings):
            left_out.add(LeftOut.FINDINGS)
            left_out |= {part for field, part in SOURCES.items() if finding.field.startswith(field)}
    return frozenset(left_out)


def categories_of(finding: Finding) -> frozenset[Sensitivity]:
    """The sensitive categories of a finding: by its ICD-10-CM code, and by its words."""
    words = " ".join((finding.text, finding.description, finding.detail))
    return categories_of_code(finding.code) | categories_of_words(words)


def _reduced_event(event: PatientEvent, left_out: frozenset[LeftOut]) -> PatientEvent:
    """The event without these parts."""
    return replace(
        event,
        visit=_reduced_visit(event.visit, left_out),
        diagnoses=() if LeftOut.DIAGNOSIS in left_out else event.diagnoses,
        notes=() if LeftOut.FINDINGS in left_out else event.notes,
        skipped_notes=() if LeftOut.FINDINGS in left_out else event.skipped_notes,
        decision=_reduced_decision(event.decision, left_out) if event.decision else None,
    )


def _reduced_findings(clinical: ClinicalFindings, left_out: frozenset[LeftOut]) -> ClinicalFindings:
    """The findings without these parts. Nothing says that some were left out: that would disclose them."""
    if LeftOut.FINDINGS in left_out:
        return ClinicalFindings(outcome=FindingsOutcome.PROTECTED)
    # A machine also reads the words of fields that are left out.
    unread = tuple(field for field, part in SOURCES.items() if part in left_out)

    def kept(findings: Iterable[Finding]) -> tuple[Finding, ...]:
        return tuple(one for one in findings if not one.field.startswith(unread))

    return replace(
        clinical,
        hospital=() if LeftOut.DIAGNOSIS in left_out else clinical.hospital,
        conditions=kept(clinical.conditions),
        medications=kept(clinical.medications),
        tests=kept(clinical.tests),
        procedures=kept(clinical.procedures),
        apart={reason: kept(findings) for reason, findings in clinical.apart.items()},
    )


def _reduced_visit(visit: Visit, left_out: frozenset[LeftOut]) -> Visit:
    if LeftOut.UNIT in left_out:
        visit = replace(visit, location=Location(), prior_location=Location(), facility_name="")
    if LeftOut.REASON in left_out:
        visit = replace(visit, reason=CodedText())
    if LeftOut.DESTINATION in left_out:
        visit = replace(visit, disposition=CodedText(), discharged_to="")
    return visit


def _reduced_decision(decision: Decision, left_out: frozenset[LeftOut]) -> Decision:
    """The decision whose notices name no change of a part that is left out."""
    gone = {change for part, changes in CHANGES.items() if part in left_out for change in changes}
    notices = tuple(
        replace(one, changes=tuple(change for change in one.changes if change not in gone))
        for one in decision.notices
    )
    return replace(decision, notices=notices)


def _shown(clinical: ClinicalFindings) -> list[Finding]:
    """The findings that a letter may show. Negated ones, and those of the family, are never shown."""
    return [
        *clinical.conditions,
        *clinical.medications,
        *clinical.tests,
        *clinical.procedures,
        *clinical.apart.get(SetAsideReason.PAST, ()),
    ]
