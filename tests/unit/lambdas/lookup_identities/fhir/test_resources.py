"""Reads FHIR R4's own example of a Patient, and compares the members with those of `fhir.resources`.

https://hl7.org/fhir/R4/patient-example.json.html, shortened.
"""

import pytest
from fhir.resources.R4B import get_fhir_model_class

from lambdas.lookup_identities.fhir.patients import survivor_of
from lambdas.lookup_identities.fhir.resources import MEMBERS, read_bundle, read_patient
from lambdas.lookup_identities.mpi.outcomes import BrokenAnswerError

EXAMPLE = {
    "resourceType": "Patient",
    "id": "example",
    "identifier": [
        {"use": "usual", "system": "urn:oid:1.2.36.146.595.217.0.1", "value": "12345"},
    ],
    "active": True,
    "name": [{"use": "official", "family": "Chalmers", "given": ["Peter", "James"]}],
    "gender": "male",
    "birthDate": "1974-12-25",
    "_birthDate": {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/example"}]},
}


def test_the_members_have_the_names_of_fhir_in_json() -> None:
    patient = read_patient(EXAMPLE)
    assert patient.birth_date == "1974-12-25"
    assert patient.name[0].given == ("Peter", "James")


def test_the_representation_of_a_read_patient_shows_none_of_its_values() -> None:
    bundle = read_bundle({"resourceType": "Bundle", "entry": [{"resource": EXAMPLE}]})
    shown = repr(bundle) + repr(bundle.found[0].patient.identifier)
    assert "FhirPatient" in shown
    assert not [value for value in ("12345", "Chalmers", "Peter", "1974", "male") if value in shown]


@pytest.mark.parametrize("resource_type", MEMBERS)
def test_the_members_of_a_resource_are_those_that_fhir_defines(resource_type: str) -> None:
    defined = get_fhir_model_class(resource_type).elements_sequence()
    assert MEMBERS[resource_type] == {"resourceType", *defined}


@pytest.mark.parametrize("version", ["", "/_history/2"])
def test_a_relative_reference_leads_to_the_surviving_patient(version: str) -> None:
    other = {"reference": f"Patient/survivor{version}"}
    merged = read_patient({**EXAMPLE, "link": [{"other": other, "type": "replaced-by"}]})
    assert survivor_of(merged) == "Patient/survivor"


@pytest.mark.parametrize(
    ("issue", "whole"),
    [
        ({"severity": "warning", "code": "incomplete"}, False),
        ({"severity": "information", "code": "timeout"}, False),
        ({"severity": "error", "code": "processing"}, False),
        ({"severity": "warning", "code": "not-supported"}, True),
    ],
)
def test_nobody_needs_a_search_of_all_sources(issue: dict[str, str], whole: bool) -> None:
    """Value set issue-type: `incomplete` is an answer without sources that could not be reached."""
    outcome = {"resourceType": "OperationOutcome", "issue": [issue]}
    bundle = {"resourceType": "Bundle", "total": 0, "entry": [{"resource": outcome}]}
    if whole:
        assert read_bundle(bundle).found == ()
    else:
        with pytest.raises(BrokenAnswerError, match="incomplete"):
            read_bundle(bundle)


def test_a_first_page_without_an_entry_is_not_nobody() -> None:
    following = [{"relation": "next", "url": "https://mpi.example/fhir?page=2"}]
    with pytest.raises(BrokenAnswerError, match="first page"):
        read_bundle({"resourceType": "Bundle", "link": following})
