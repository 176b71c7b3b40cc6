"""The stand-in's findings, phrase by phrase. The notes are written for these tests."""

import csv

import pytest

from simulators.comprehend_medical.answers import detect_entities_v2, infer_icd10cm
from simulators.comprehend_medical.data_files import DATA
from simulators.comprehend_medical.terms.lexicon import conditions
from simulators.comprehend_medical.terms.ontology import codes as icd10cm_codes
from simulators.comprehend_medical.text.tokens import tokens

ADMISSION = (
    "67 year old admitted from home to Room 12. Diagnosis for this admission is s/p PE. Needs pain "
    "control and IV ABT. Severe agitation overnight, no longer needs a sitter. Co-morbid diagnoses "
    "include bipolar disorder, chronic fatigue syndrome, diabetes and a-fib. Has been taking "
    "propanolol 10Mg"
)


def codes(note: str) -> dict[str, str]:
    """Text -> first code of every condition that no trait takes away."""
    return {
        entity["Text"]: entity["ICD10CMConcepts"][0]["Code"]
        for entity in infer_icd10cm(note)["Entities"]
        if not {t["Name"] for t in entity["Traits"]} - {"SIGN", "SYMPTOM", "DIAGNOSIS"}
    }


def traits(note: str, text: str) -> set[str]:
    """The traits of the last entity of that text."""
    found = [e for e in detect_entities_v2(note)["Entities"] if e["Text"] == text]
    return {trait["Name"] for trait in found[-1]["Traits"]} - {"SIGN", "SYMPTOM", "DIAGNOSIS"}


def test_an_admission_note_gives_its_conditions_codes_and_medication() -> None:
    assert codes(ADMISSION) == {
        "PE": "I26.99",
        "pain": "R52",
        "agitation": "R45.1",
        "bipolar disorder": "F31.9",
        "chronic fatigue syndrome": "G93.32",
        "diabetes": "E11.9",
        "a-fib": "I48.91",
    }
    drug = detect_entities_v2(ADMISSION)["Entities"][-1]
    assert (drug["Text"], drug["Type"]) == ("propanolol", "GENERIC_NAME")
    assert [(a["Type"], a["Text"]) for a in drug["Attributes"]] == [("DOSAGE", "10Mg")]


@pytest.mark.parametrize(
    ("phrase", "code"),
    [
        ("CHF exac", "I50.9"),
        ("SOB", "R06.02"),
        ("pt c/o sob", "R06.02"),
        ("sugar diabetes", "E11.9"),
        ("HTN", "I10"),
        ("COPD exacerbation", "J44.1"),
        ("acute on chronic systolic heart failure", "I50.23"),
        ("Crohn’s disease", "K50.90"),
        ("uti", "N39.0"),
        ("NSTEMI", "I21.4"),
        ("heart-failure", "I50.9"),
        ("C. diff", "A04.72"),
        ("seizures", "R56.9"),
        ("CVA", "I63.9"),
        ("covid-19", "U07.1"),
        ("nausea\nand vomiting", "R11.2"),
    ],
)
def test_shorthand_lay_words_and_longer_names_get_their_code(phrase: str, code: str) -> None:
    assert list(codes(f"Admitted with {phrase}.").values()) == [code]


@pytest.mark.parametrize(
    "note",
    [
        "PE: lungs clear, abdomen soft.",
        "On PE lungs are clear.",
        "Plan: fall risk assessment.",
        "Lives in Detroit, MI 48201.",
        "He is a non-smoker.",
        "The pe teacher was told.",
    ],
)
def test_a_word_that_means_something_else_here_is_not_found(note: str) -> None:
    assert not codes(note)


@pytest.mark.parametrize(
    ("note", "text"),
    [
        ("Denies fever, chills, nausea or chest pain.", "chest pain"),
        ("No evidence of DVT.", "DVT"),
        ("No signs of infection, no fever", "fever"),
        ("CTA negative for PE.", "PE"),
        ("PE was ruled out.", "PE"),
        ("CT ruled out stroke.", "stroke"),
        ("Pneumonia is unlikely.", "Pneumonia"),
        ("without complaints of headache", "headache"),
        ("no evidence of\nPE on imaging", "PE"),
        ("Patient does not have diabetes", "diabetes"),
        ("Allergic to penicillin and codeine.", "codeine"),
        ("Not on insulin.", "insulin"),
    ],
)
def test_what_is_denied_is_negated(note: str, text: str) -> None:
    assert traits(note, text) == {"NEGATION"}


@pytest.mark.parametrize(
    ("note", "text"),
    [
        ("No fever but has cough.", "cough"),
        ("Denies pain. Diabetes is stable.", "Diabetes"),
        ("No change in headache.", "headache"),
        ("PE ruled out, pneumonia confirmed.", "pneumonia"),
        ("Not well controlled hypertension.", "hypertension"),
        ("Gram negative bacteremia.", "bacteremia"),
        ("No relief of pain with morphine.", "morphine"),
        ("Diagnosis is s/p PE.", "PE"),
        ("Mother reports he has fever.", "fever"),
        ("No acute distress\nHypertension", "Hypertension"),
    ],
)
def test_what_is_stated_has_no_trait_that_takes_it_away(note: str, text: str) -> None:
    assert traits(note, text) == set()


@pytest.mark.parametrize(
    ("note", "text", "trait"),
    [
        ("Return if fever or SOB.", "SOB", "HYPOTHETICAL"),
        ("r/o MI", "MI", "HYPOTHETICAL"),
        ("DVT prophylaxis ordered.", "DVT", "HYPOTHETICAL"),
        ("At risk for sepsis.", "sepsis", "HYPOTHETICAL"),
        ("Family history of stroke and diabetes.", "diabetes", "PERTAINS_TO_FAMILY"),
        ("Father died of lung cancer.", "lung cancer", "PERTAINS_TO_FAMILY"),
        ("Diabetes in her mother.", "Diabetes", "PERTAINS_TO_FAMILY"),
        ("Possible pneumonia.", "pneumonia", "LOW_CONFIDENCE"),
        ("?UTI", "UTI", "LOW_CONFIDENCE"),
        ("PE cannot be ruled out.", "PE", "LOW_CONFIDENCE"),
        ("Warfarin was stopped.", "Warfarin", "PAST_HISTORY"),
        ("Previously on lithium.", "lithium", "PAST_HISTORY"),
    ],
)
def test_what_is_supposed_doubted_past_or_a_relatives_says_so(
    note: str, text: str, trait: str
) -> None:
    assert traits(note, text) == {trait}


@pytest.mark.parametrize("word", ["propanolol", "Metoprlol", "atorvastatine", "lisinoprill"])
def test_a_drug_one_letter_off_is_found_as_it_is_written(word: str) -> None:
    found = detect_entities_v2(f"takes {word} daily")["Entities"]
    assert [entity["Text"] for entity in found] == [word]


@pytest.mark.parametrize("note", ["", " ", "🫀", "...", "a" * 5000, "no no no, not? if"])
def test_a_note_without_findings_gives_none(note: str) -> None:
    assert detect_entities_v2(note)["Entities"] == []
    assert infer_icd10cm(note)["Entities"] == []


def test_the_lexicons_hold_together() -> None:
    with (DATA / "conditions.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) > 350
    for row in rows:
        assert row["kind"] in {"diagnosis", "symptom", "sign"}
        assert set(row["codes"].split()) <= set(icd10cm_codes())
    with (DATA / "drugs.csv").open(encoding="utf-8") as lines:
        assert len({row["generic"] for row in csv.DictReader(lines)}) > 250


def test_every_term_of_the_dictionary_is_found_with_its_own_code() -> None:
    with (DATA / "conditions.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    missed = []
    for row in rows:
        for term in row["terms"].split("|"):
            found = conditions().occurrences(term, tokens(term))
            first = found[0].entry if found else None
            if first is None or " ".join(first.codes) != row["codes"]:
                missed.append(term)
    assert missed == []
