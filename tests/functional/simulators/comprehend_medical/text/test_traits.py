"""Conditions, and the effect of headings and signs. The notes are written for these tests."""

import pytest

from simulators.comprehend_medical.answers import detect_entities_v2, infer_icd10cm

KINDS = {"SIGN", "SYMPTOM", "DIAGNOSIS"}


def traits(note: str, text: str) -> set[str]:
    """The traits of the only entity of that text."""
    (found,) = (e for e in detect_entities_v2(note)["Entities"] if e["Text"] == text)
    return {trait["Name"] for trait in found["Traits"]}


@pytest.mark.parametrize(
    ("note", "text", "kind"),
    [
        ("Brought in for gout.", "gout", "DIAGNOSIS"),
        ("Treated for HTN at home.", "HTN", "DIAGNOSIS"),
        ("Fracture of left wrist after a fall.", "Fracture of left wrist", "DIAGNOSIS"),
        ("Seen for chorioretinitis.", "chorioretinitis", "DIAGNOSIS"),
        ("Nausea since lunch.", "Nausea", "SYMPTOM"),
        ("Says the headache came at work.", "headache", "SYMPTOM"),
        ("Knee pain on stairs.", "Knee pain", "SYMPTOM"),
        ("Jaundice seen in triage.", "Jaundice", "SIGN"),
        ("Tachycardia on the monitor.", "Tachycardia", "SIGN"),
        ("Lumbar tenderness on touch.", "Lumbar tenderness", "SIGN"),
    ],
)
def test_a_condition_is_a_diagnosis_a_symptom_or_a_sign(note: str, text: str, kind: str) -> None:
    assert traits(note, text) & KINDS == {kind}


def test_both_operations_call_a_condition_the_same() -> None:
    note = "Jaundice, nausea and gout."
    coded = {
        entity["Text"]: [trait["Name"] for trait in entity["Traits"]]
        for entity in infer_icd10cm(note)["Entities"]
    }
    assert coded == {"Jaundice": ["SIGN"], "nausea": ["SYMPTOM"], "gout": ["DIAGNOSIS"]}


@pytest.mark.parametrize(
    ("note", "text", "trait"),
    [
        ("FAMILY HISTORY: stroke, gout.", "gout", "PERTAINS_TO_FAMILY"),
        ("Fam Hx\nStroke and gout.", "gout", "PERTAINS_TO_FAMILY"),
        ("Seen for rash. FHx: migraine.", "migraine", "PERTAINS_TO_FAMILY"),
        ("Allergies: penicillin, codeine.", "codeine", "NEGATION"),
        ("DRUG ALLERGIES\npenicillin\ncodeine", "codeine", "NEGATION"),
        ("Return precautions: vomiting or syncope.", "syncope", "HYPOTHETICAL"),
        ("When to call:\nfever\nrash", "rash", "HYPOTHETICAL"),
        ("DDx: appendicitis vs gastroenteritis", "gastroenteritis", "LOW_CONFIDENCE"),
        ("Pertinent negatives: rash, syncope.", "syncope", "NEGATION"),
        ("Discontinued medications:\nlithium\nwarfarin", "warfarin", "PAST_HISTORY"),
    ],
)
def test_a_heading_speaks_of_all_that_is_listed_under_it(note: str, text: str, trait: str) -> None:
    assert traits(note, text) - KINDS == {trait}


@pytest.mark.parametrize("note", ["Pneumonia gram negative", "Pneumonia gram negative today."])
def test_a_phrase_that_is_no_denial_is_none_at_the_end_of_the_note_either(note: str) -> None:
    assert traits(note, "Pneumonia") & {"NEGATION"} == set()


@pytest.mark.parametrize(
    ("note", "text"),
    [
        ("FAMILY HISTORY: stroke.\nASSESSMENT: migraine.", "migraine"),
        ("Family history:\nStroke.\n\nMigraine since Monday.", "Migraine"),
        ("Allergies: codeine.\nMedications: lisinopril.", "lisinopril"),
        ("Return precautions: syncope.\nImpression: migraine.", "migraine"),
        ("Past medical history: gout.", "gout"),
    ],
)
def test_the_next_heading_or_an_empty_line_ends_a_part(note: str, text: str) -> None:
    assert traits(note, text) <= KINDS


def test_a_list_of_allergies_denies_the_drug_and_not_what_it_did() -> None:
    note = "Allergies: penicillin (rash)."
    assert traits(note, "penicillin") == {"NEGATION"}
    assert traits(note, "rash") == {"SIGN"}


@pytest.mark.parametrize(
    ("note", "text"),
    [
        ("+cough, -fever", "fever"),
        ("-fever, +cough", "fever"),
        ("Eats well, -rash.", "rash"),
        ("Fever: no", "Fever"),
        ("Fever: no.\nCough: yes.", "Fever"),
        ("Chest pain - denies", "Chest pain"),
        ("Rash = none; eats well", "Rash"),
    ],
)
def test_a_minus_or_a_label_answered_with_no_denies(note: str, text: str) -> None:
    assert "NEGATION" in traits(note, text)


@pytest.mark.parametrize(
    ("note", "text"),
    [
        ("+cough, -fever", "cough"),
        ("-fever, +cough", "cough"),
        ("-fever\n-cough", "fever"),
        ("- fever\n- cough", "cough"),
        ("Fever: no change", "Fever"),
        ("Fever: no.\nCough: yes.", "Cough"),
    ],
)
def test_a_lists_dash_a_plus_or_a_longer_answer_denies_nothing(note: str, text: str) -> None:
    assert traits(note, text) <= KINDS
