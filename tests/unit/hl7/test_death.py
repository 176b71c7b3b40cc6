"""Evidence of a death in codes and words of several systems and languages."""

import pytest

from hl7.death import Evidence, of_disposition, of_indicator, of_text

DEATHS = [
    "EXPIRED",
    "Exp",
    "Died in the emergency department",
    "Patient died",
    "Deceased",
    "Death in hospital",
    "DOA",
    "Passed away",
    "Décès",
    "Décédé",
    "décédée",
    "Mort à l’hôpital",
    "Tod",
    "Todesfall",
    "verstorben",
    "Exitus letalis",
    "Fallecido",
    "fallecimiento",
    "Defunción",
    "Muerte",
    "Murió",
    "Óbito",
    "overleden",
]
ALIVE = [
    "Home",
    "Nursing home",
    "Contre avis médical",
    "Left against medical advice",
    "Rückverlegung",
    "Alta a domicilio",
    "Hospice at home",
    "Group or supportive living",
    "Transferred to Mortlake General",
    "Totnes Community Hospital",
    "Deadwood Rehabilitation",
    "Died­enhofen Klinik",
]
DOUBTFUL = [
    "Discharged alive, not expired",
    "Not deceased",
    "no death",
    "Insurance expired",
    "Leave expired",
    "Mother died",
    "Death of partner",
    "Deceased donor transplant",
    "nicht verstorben",
    "sin muerte",
    "pas de décès",
    "Near death",
]


@pytest.mark.parametrize("text", DEATHS)
@pytest.mark.parametrize("code", ["", "4", "07", "72", "X"])
def test_a_plain_word_of_death_is_one_beside_any_code(text: str, code: str) -> None:
    assert of_disposition(code, text, "") is Evidence.CLEAR
    assert of_disposition(code, text.upper(), "LOCAL") is Evidence.CLEAR


@pytest.mark.parametrize("word", ["EXPIRED", "deceased", "DIED", "Tod", "décédé"])
def test_a_word_in_the_place_of_the_code_counts_too(word: str) -> None:
    assert of_disposition(word, "", "") is Evidence.CLEAR


@pytest.mark.parametrize("text", ALIVE)
@pytest.mark.parametrize("code", ["", "40", "41", "42", "20"])
def test_the_senders_text_outweighs_a_code_of_death(text: str, code: str) -> None:
    assert of_disposition(code, text, "") is not Evidence.CLEAR
    assert of_disposition(code, text, "CIHI") is Evidence.NONE


@pytest.mark.parametrize("text", DOUBTFUL)
def test_a_word_of_death_that_is_negated_or_about_another_is_unclear(text: str) -> None:
    assert of_text(text) is Evidence.UNCLEAR


@pytest.mark.parametrize(
    "system", ["", "HL70112", "NUBC", "UB-04", "UB92", "0112", "HL7 0112", "FL17"]
)
@pytest.mark.parametrize("code", ["20", "40", "41", "42"])
def test_a_code_of_death_counts_in_its_own_table(code: str, system: str) -> None:
    assert of_disposition(code, "", system) is Evidence.CLEAR


@pytest.mark.parametrize("system", ["CIHI", "LOCAL", "L", "99ZZZ", "QC", "DAD", "NHS"])
@pytest.mark.parametrize("code", ["20", "40", "41", "42"])
def test_the_same_code_of_another_system_is_none(code: str, system: str) -> None:
    assert of_disposition(code, "", system) is Evidence.NONE


def test_snomed_ct_has_codes_of_its_own() -> None:
    assert of_disposition("419099009", "", "SCT") is Evidence.CLEAR
    assert of_disposition("306689006", "", "SCT") is Evidence.NONE
    assert of_disposition("20", "", "SCT") is Evidence.NONE


def test_a_numeric_code_is_not_filled_up() -> None:
    assert of_disposition("2", "", "") is Evidence.NONE
    assert of_disposition("020", "", "") is Evidence.NONE


@pytest.mark.parametrize(
    ("value", "evidence"),
    [
        *(
            (yes, Evidence.CLEAR)
            for yes in ("Y", "y", "Yes", "TRUE", "true", "1", "T", "Ja", "oui", "Sí")
        ),
        *((no, Evidence.AGAINST) for no in ("N", "no", "NO", "false", "0", "Nein", "non", "F")),
        *((other, Evidence.UNCLEAR) for other in ("U", "?", "UNK", "2", "maybe")),
        *((empty, Evidence.NONE) for empty in ("", " ")),
    ],
)
def test_the_death_indicator_is_read_in_every_form(value: str, evidence: Evidence) -> None:
    assert of_indicator(value) is evidence
