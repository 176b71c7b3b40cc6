"""The words around a condition change its code. The notes are written for these tests."""

import pytest

from simulators.comprehend_medical.answers import detect_entities_v2, infer_icd10cm
from simulators.comprehend_medical.coding import siblings


def first_code(note: str, text: str) -> str:
    """The best code of the only condition of that text."""
    (found,) = (e for e in infer_icd10cm(note)["Entities"] if e["Text"] == text)
    code: str = found["ICD10CMConcepts"][0]["Code"]
    return code


@pytest.mark.parametrize(
    ("note", "text", "code"),
    [
        ("Gout, and a-fib on the monitor.", "a-fib", "I48.91"),
        ("Gout, and paroxysmal a-fib on the monitor.", "a-fib", "I48.0"),
        ("Gout, and persistent a-fib on the monitor.", "a-fib", "I48.19"),
        ("Gout, and mild persistent asthma.", "mild persistent asthma", "J45.30"),
    ],
)
def test_the_words_before_a_condition_choose_the_more_specific_code(
    note: str, text: str, code: str
) -> None:
    assert first_code(note, text) == code


def test_the_plain_code_stays_among_those_offered_behind_the_closer_one() -> None:
    (found,) = infer_icd10cm("Paroxysmal a-fib.")["Entities"]
    assert [concept["Code"] for concept in found["ICD10CMConcepts"]][:2] == ["I48.0", "I48.91"]


@pytest.mark.parametrize("said", [(), ("left",), ("yesterday",)])
def test_words_that_no_name_of_the_category_holds_choose_no_sibling(said: tuple[str, ...]) -> None:
    assert siblings.closest(["I48.91"], frozenset(said), frozenset()) == ""


@pytest.mark.parametrize(
    ("condition", "now", "before"),
    [
        ("stroke", "I63.9", "Z86.73"),
        ("breast cancer", "C50.919", "Z85.3"),
        ("PE", "I26.99", "Z86.711"),
        ("kidney stones", "N20.0", "Z87.442"),
    ],
)
def test_a_disease_told_as_history_gets_the_code_for_having_had_it(
    condition: str, now: str, before: str
) -> None:
    assert first_code(f"Gout, and {condition} today.", condition) == now
    for told in ("History of", "Hx of", "h/o"):
        note = f"{told} {condition}. Gout today."
        assert first_code(note, condition) == before
        (found,) = (e for e in detect_entities_v2(note)["Entities"] if e["Text"] == condition)
        assert {trait["Name"] for trait in found["Traits"]} == {"DIAGNOSIS", "PAST_HISTORY"}


def test_what_one_lives_with_keeps_its_code_when_told_as_history() -> None:
    assert first_code("History of gout. Seen for rash.", "gout") == "M10.9"


@pytest.mark.parametrize("told", ["Family history of", "Family hx of", "Fam hx of", "FH: h/o"])
def test_a_relatives_history_is_not_the_patients_own(told: str) -> None:
    assert first_code(f"{told} stroke. Gout today.", "stroke") == "I63.9"
