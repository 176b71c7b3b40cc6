from typing import Any

import pytest

from lambdas.common.contracts.findings import Finding, SetAsideReason
from lambdas.common.contracts.message.visit import CodedText
from lambdas.extract_entities.findings import CurrentFindings, found, shown, without_known
from lambdas.extract_entities.notes.notes import Piece, reading

NOTE = "s/p PE. Pulmonary embolism, diabetes. Takes metformin 500 mg bid and Metformin at night."
READING = reading([Piece("OBX[1]-5", NOTE)])


def place(text: str) -> dict[str, Any]:
    begin = NOTE.index(text)
    return {"BeginOffset": begin, "EndOffset": begin + len(text), "Text": text}


def traits(*names: str) -> list[dict[str, Any]]:
    return [{"Name": name, "Score": 0.9} for name in names]


def condition(
    text: str, code: str = "I26.99", *names: str, score: float = 0.9, concept: float = 0.8
) -> dict[str, Any]:
    return {
        **place(text),
        "Category": "MEDICAL_CONDITION",
        "Type": "DX_NAME",
        "Score": score,
        "Traits": traits(*names),
        "ICD10CMConcepts": [
            {"Code": "Z99.9", "Description": "Something else", "Score": concept / 2},
            {"Code": code, "Description": f"Description of {code}", "Score": concept},
        ],
    }


def entity(text: str, category: str, kind: str, *names: str, score: float = 0.9) -> dict[str, Any]:
    return {
        **place(text),
        "Category": category,
        "Type": kind,
        "Score": score,
        "Traits": traits(*names),
    }


def medication(text: str, *names: str, **rest: Any) -> dict[str, Any]:
    return {**entity(text, "MEDICATION", "GENERIC_NAME", *names), **rest}


def attribute(kind: str, text: str) -> dict[str, Any]:
    return {"Type": kind, **place(text), "Score": 0.9}


def of(
    icd10cm: list[dict[str, Any]] | None = None, entities: list[dict[str, Any]] | None = None
) -> CurrentFindings:
    return found(READING, entities or [], icd10cm or [])


def test_a_condition_has_its_words_its_best_code_and_where_it_was_read() -> None:
    result = of([condition("diabetes", "E11.9", "DIAGNOSIS")])
    assert len(result.conditions) == 1
    finding = result.conditions[0]
    assert (finding.text, finding.code, finding.description) == (
        "diabetes",
        "E11.9",
        "Description of E11.9",
    )
    assert (finding.score, finding.field) == (0.9, "OBX[1]-5")


@pytest.mark.parametrize(
    ("trait", "reason"),
    [
        ("NEGATION", "negated"),
        ("PERTAINS_TO_FAMILY", "family"),
        ("HYPOTHETICAL", "hypothetical"),
        ("LOW_CONFIDENCE", "low_confidence"),
    ],
)
def test_what_is_not_said_of_the_patient_now_is_counted_and_not_shown(
    trait: str, reason: str
) -> None:
    result = of([condition("PE.", "I26.99", "DIAGNOSIS", trait)])
    assert not result.conditions
    assert result.set_aside == {reason: 1}


@pytest.mark.parametrize("trait", ["NEGATION", "PAST_HISTORY", "HYPOTHETICAL"])
def test_a_condition_is_set_aside_when_the_other_operation_says_so_of_the_same_words(
    trait: str,
) -> None:
    result = of(
        [condition("PE."), condition("diabetes", "E11.9")],
        [entity("PE", "MEDICAL_CONDITION", "DX_NAME", trait)],
    )
    assert [finding.text for finding in result.conditions] == ["diabetes"]
    assert sum(result.set_aside.values()) == 1


@pytest.mark.parametrize(
    ("trait", "reason"),
    [("NEGATION", "negated"), ("PAST_HISTORY", "past"), ("FUTURE", "hypothetical")],
)
def test_a_medication_that_is_not_taken_now_is_not_shown(trait: str, reason: str) -> None:
    result = of(entities=[medication("metformin", trait)])
    assert (result.medications, result.set_aside) == ((), {reason: 1})


def test_an_unsure_finding_is_set_aside() -> None:
    result = of([condition("diabetes", "E11.9", score=0.49)], [medication("metformin", Score=0.3)])
    assert (result.conditions, result.medications) == ((), ())
    assert result.set_aside == {"low_confidence": 2}


def test_an_unsure_code_is_left_out_and_the_words_stay() -> None:
    finding = of([condition("diabetes", "E11.9", concept=0.1)]).conditions[0]
    assert (finding.text, finding.code, finding.description) == ("diabetes", "", "")


def test_a_condition_without_concepts_has_no_code() -> None:
    bare = {**condition("diabetes"), "ICD10CMConcepts": []}
    assert of([bare]).conditions[0].code == ""


@pytest.mark.parametrize(
    ("text", "said"), [("PE.", "PE"), ("\t\tB12", "B12"), (" chest\n pain, ", "chest pain")]
)
def test_tabs_and_full_stops_around_an_entity_are_not_shown(text: str, said: str) -> None:
    assert shown(text) == said


def test_one_code_is_shown_once_in_the_surest_words() -> None:
    result = of([condition("PE.", score=0.7), condition("Pulmonary embolism", score=0.95)])
    assert [(f.text, f.score) for f in result.conditions] == [("Pulmonary embolism", 0.95)]


def test_one_text_is_shown_once_with_the_code_that_one_reading_has() -> None:
    uncoded = {**condition("diabetes"), "ICD10CMConcepts": []}
    result = of([uncoded, condition("diabetes", "E11.9", score=0.6)])
    assert [(f.text, f.code) for f in result.conditions] == [("diabetes", "E11.9")]


def test_a_negated_mention_does_not_take_away_a_stated_one() -> None:
    result = of([condition("PE.", "I26.99", "NEGATION"), condition("Pulmonary embolism")])
    assert [finding.text for finding in result.conditions] == ["Pulmonary embolism"]
    assert result.set_aside == {"negated": 1}


def test_what_is_no_diagnosis_is_passed_over() -> None:
    time = {**condition("bid"), "Type": "TIME_EXPRESSION"}
    place = entity("night", "ANATOMY", "SYSTEM_ORGAN_SITE")
    assert of([time], [place, entity("bid", "MEDICATION", "FREQUENCY")]) == CurrentFindings()


def test_a_medication_shows_how_it_is_taken_in_the_notes_order() -> None:
    drug = medication(
        "metformin",
        Attributes=[
            attribute("FREQUENCY", "bid"),
            attribute("DOSAGE", "500 mg"),
            attribute("DURATION", "night"),
        ],
    )
    finding = of(entities=[drug]).medications[0]
    assert (finding.text, finding.detail, finding.code) == ("metformin", "500 mg bid", "")


def test_a_medication_named_twice_is_shown_once_with_both_details() -> None:
    first = medication("metformin", Attributes=[attribute("DOSAGE", "500 mg")])
    again = medication("Metformin", Attributes=[attribute("FREQUENCY", "at night")])
    result = of(entities=[first, again])
    assert [(f.text, f.detail) for f in result.medications] == [("metformin", "500 mg; at night")]


@pytest.mark.parametrize("low", ["Score", "RelationshipScore"])
def test_an_unsure_dose_or_side_is_left_out_and_its_finding_stays(low: str) -> None:
    unsure = {**attribute("DOSAGE", "500 mg"), "RelationshipScore": 0.9} | {low: 0.49}
    sure = {**attribute("FREQUENCY", "bid"), "RelationshipScore": 0.5}
    (drug,) = of(entities=[medication("metformin", Attributes=[unsure, sure])]).medications
    assert (drug.detail, drug.attributes) == ("bid", {"frequency": "bid"})
    ill = {**condition("diabetes"), "Attributes": [{**unsure, "Type": "ACUITY"}]}
    assert [one.acuity for one in of([ill]).conditions] == [""]


def test_brand_names_are_medications_too() -> None:
    brand = {**medication("metformin"), "Type": "BRAND_NAME"}
    assert len(of(entities=[brand]).medications) == 1


def test_a_medication_names_each_part_of_how_it_is_taken() -> None:
    drug = medication(
        "metformin", Attributes=[attribute("DOSAGE", "500 mg"), attribute("FREQUENCY", "bid")]
    )
    finding = of(entities=[drug]).medications[0]
    assert finding.attributes == {"dosage": "500 mg", "frequency": "bid"}
    assert finding.finding_type == "generic"


def test_what_is_kept_apart_is_named_once() -> None:
    result = of([condition("PE.", "I26.99", "NEGATION"), condition("PE.", "I26.99", "NEGATION")])
    assert [finding.text for finding in result.apart[SetAsideReason.NEGATED]] == ["PE"]


@pytest.mark.parametrize(
    ("diagnosis", "kept"),
    [
        (CodedText("I4891", "Unspecified atrial fibrillation"), False),
        (CodedText("", "A-FIB"), False),
        (CodedText("I48", "Atrial fibrillation"), True),
        (CodedText("", ""), True),
    ],
)
def test_what_the_hospital_says_itself_is_not_suggested_again(
    diagnosis: CodedText, kept: bool
) -> None:
    finding = Finding("a-fib", "I48.91", "Unspecified atrial fibrillation", 0.9, field="OBX[1]-5")
    assert bool(without_known([finding], [diagnosis])) is kept


def test_a_finding_read_in_a_diagnosis_that_the_hospital_coded_is_that_diagnosis() -> None:
    coded, uncoded = CodedText("R07.9", "chest pain, asthma?"), CodedText("", "chest pain, asthma?")
    asthma = Finding("asthma", "J45.909", field="DG1[1]-3")
    assert without_known([asthma], [coded]) == ()
    assert without_known([asthma], [uncoded]) == (asthma,)
