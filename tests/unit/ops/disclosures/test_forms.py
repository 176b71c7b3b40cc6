"""The forms of an account: FHIR AuditEvents, CSV, and the accounting of 45 CFR 164.528."""

import csv
import io
from datetime import date
from typing import Any

from fhir.resources.R4B.auditevent import AuditEvent
from fhir.resources.R4B.bundle import Bundle

from ops.disclosures import accounting, fhir, spreadsheet
from ops.disclosures.audit_search import DisclosureAccount
from ops.disclosures.records import Disclosure, disclosures
from ops.disclosures.subjects import NamedProvider, Names
from ops.period import Period
from tests.unit.ops.disclosures.entries import PATIENT, PROVIDER, TOLD, of_delivery, resolved

NOW = "2026-04-01T10:00:00.000Z"
MARCH = Period(date(2026, 3, 1), date(2026, 3, 31))
NAMES: Names = {
    PROVIDER: NamedProvider(
        "dr-lindqvist", "Dr Petra Lindqvist", "1888888884", "petra.lindqvist@millclinic.example"
    )
}
REFUSED = [resolved(), of_delivery("SUPPRESSED", 3, suppressed_because="OPTED_OUT")]


def account(records: list[Disclosure]) -> DisclosureAccount:
    return DisclosureAccount((PATIENT,), records, [])


DCM = "http://dicom.nema.org/resources/ontology/DCM"
ENTITY_TYPE = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
ENTITY_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
LIFECYCLE = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
"""The code systems of the profile's patterns."""


def coded(coding: Any) -> tuple[str, str]:
    return coding.system, coding.code


def test_the_bundle_is_valid_r4_and_each_event_meets_the_balp_profile() -> None:
    """IHE BALP 1.1.4, Privacy Disclosure at Source: cardinalities and patterns of its differential."""
    made: Any = Bundle.model_validate(fhir.bundle(disclosures(TOLD), NAMES, NOW))
    (entry,) = made.entry
    assert isinstance(entry.resource, AuditEvent)
    event: Any = made.entry[0].resource
    assert event.meta.profile == [
        "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PrivacyDisclosure.Source"
    ]
    assert (coded(event.type), event.action, event.outcome) == ((DCM, "110106"), "R", "0")
    assert [coded(one) for one in event.subtype] == [(LIFECYCLE, "disclose")]
    source, recipient = event.agent
    assert [coded(one.type.coding[0]) for one in (source, recipient)] == [
        (DCM, "110153"),
        (DCM, "110152"),
    ]
    assert source.network.address and recipient.network.address
    assert (source.requestor, recipient.requestor) == (True, False)
    assert source.who == event.source.observer
    assert recipient.who.identifier.value == "1888888884"
    patient, data = event.entity
    assert coded(patient.type) == (ENTITY_TYPE, "1")
    assert coded(patient.role) == (ENTITY_ROLE, "1")
    assert patient.what.identifier.value == PATIENT
    assert {one.type: one.valueString for one in data.detail}["policyRule"] == "treatment"


def test_a_suppressed_notice_is_an_event_with_a_failure_and_its_reason() -> None:
    made: Any = Bundle.model_validate(fhir.bundle(disclosures(REFUSED), NAMES, NOW))
    (entry,) = made.entry
    assert (entry.resource.outcome, entry.resource.outcomeDesc) == ("4", "suppressed: OPTED_OUT")


def test_the_same_audit_gives_the_same_bundle() -> None:
    first, second = (fhir.bundle(disclosures(TOLD), NAMES, NOW) for _ in range(2))
    assert first == second


def test_the_accounting_has_date_recipient_address_description_and_purpose() -> None:
    """The four contents of 45 CFR 164.528(b)(2)."""
    made = accounting.markdown(
        account(disclosures(TOLD)), NAMES, patient="H00412 (NORTHGEN)", period=MARCH, prepared=NOW
    )
    (line,) = (line for line in made.splitlines() if line.startswith("| 2026-03-04"))
    date_, who, what, purpose = (cell.strip() for cell in line.strip("| ").split(" | "))
    assert date_ == "2026-03-04"
    assert who == "Dr Petra Lindqvist, NPI 1888888884, petra.lindqvist@millclinic.example"
    assert what == "Notice of admission, by e-mail (ref. 670F7743)"
    assert "established primary care practitioner" in purpose


def test_the_accounting_leaves_out_notices_that_never_left() -> None:
    made = accounting.markdown(
        account(disclosures(REFUSED)), NAMES, patient="H00412", period=MARCH, prepared=NOW
    )
    assert "No disclosure in this period." in made


def test_a_name_that_looks_like_a_formula_stays_text_in_a_spreadsheet() -> None:
    out = io.StringIO()
    spreadsheet.write(disclosures(TOLD), {PROVIDER: NamedProvider("x", '=HYPERLINK("a")')}, out)
    (row,) = csv.DictReader(io.StringIO(out.getvalue()))
    assert row["recipient"] == '\'=HYPERLINK("a")'
    assert (row["outcome"], row["policy_rule"], row["notice_reference"]) == (
        "told",
        "treatment",
        "670F7743",
    )
