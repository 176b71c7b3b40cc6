"""The sensitive category of codes and words, beside the terminology of the local Comprehend Medical."""

import csv
import gzip

import pytest

from lambdas.common.contracts.recipients.consent import Sensitivity
from lambdas.common.sensitive_codes import (
    ICD_10_GROUPS,
    categories_of_code,
    categories_of_words,
)
from tests.conftest import ROOT

SUBSTANCE, HIV = Sensitivity.SUBSTANCE_USE, Sensitivity.HIV
MENTAL, SEXUAL = Sensitivity.MENTAL_HEALTH, Sensitivity.SEXUAL_HEALTH


@pytest.mark.parametrize(
    ("code", "category"),
    [
        ("F10.239", SUBSTANCE),
        ("F1120", SUBSTANCE),
        ("f19.10", SUBSTANCE),
        ("T40.1X1A", SUBSTANCE),
        ("B20", HIV),
        ("Z21", HIV),
        ("F20.0", MENTAL),
        ("F32.A", MENTAL),
        ("R45.851", MENTAL),
        ("A54.9", SEXUAL),
        ("Z30.012", SEXUAL),
        # Tobacco is no substance use (42 CFR 2.11).
        ("F17.210", None),
        ("F03.90", None),
        ("I21.4", None),
        ("A49.9", None),
        ("Z29.11", None),
        ("86406008", None),
        ("", None),
    ],
)
def test_a_code_belongs_to_its_group(code: str, category: Sensitivity | None) -> None:
    assert categories_of_code(code) == ({category} if category else frozenset())


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("Opioid dependence, methadone", SUBSTANCE),
        ("alcohol withdrawal", SUBSTANCE),
        ("HIV disease", HIV),
        ("acute psychosis", MENTAL),
        ("requests emergency contraception", SEXUAL),
        ("Methamphetamine abuse", SUBSTANCE),
        ("Polysubstance abuse", SUBSTANCE),
        ("ETOH withdrawal", SUBSTANCE),
        ("IVDU, fever", SUBSTANCE),
        ("sevrage alcoolique", SUBSTANCE),
        ("HIV1 positive", HIV),
        ("hives", None),
        ("Depression, unspecified", MENTAL),
        ("Depression/grief", MENTAL),
        ("dépression majeure", MENTAL),
        ("anxiety", MENTAL),
        ("idées suicidaires", MENTAL),
        ("condyloma", SEXUAL),
        ("bibasilar crackles", None),
        ("cracked tooth", None),
        ("chest pain", None),
        ("hearing aids replaced", HIV),  # a word may mark too much, never too little
        ("shivering", None),
        ("therapeutic bed rest", None),
        ("", None),
    ],
)
def test_a_text_names_its_category(text: str, category: Sensitivity | None) -> None:
    assert categories_of_words(text) == ({category} if category else frozenset())


@pytest.mark.parametrize("category", [SUBSTANCE, HIV])
def test_the_official_title_of_a_diagnosis_names_its_category_without_the_code(
    category: Sensitivity,
) -> None:
    """Many hospitals send a diagnosis as text alone. The titles are those of ICD-10-CM (CDC), edition 2026."""
    file = ROOT / "simulators/comprehend_medical/data/icd10cm.tsv.gz"
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        titles = [line.split("\t")[:2] for line in lines]
    # Tramadol is prescribed for pain, so that its name alone is no sign.
    of_category = [
        title
        for code, title in titles
        if category in categories_of_code(code) and "tramadol" not in title
    ]
    assert len(of_category) >= 10
    assert [one for one in of_category if category not in categories_of_words(one)] == []


def test_no_group_marks_a_code_of_another_group() -> None:
    beginnings = [one for listed in ICD_10_GROUPS.values() for one in listed]
    assert len(beginnings) == len(set(beginnings))
    for category, listed in ICD_10_GROUPS.items():
        for one in listed:
            whole = one if len(one) > 2 else f"{one}0"
            assert categories_of_code(whole) == {category}


def test_the_terminology_agrees_on_the_categories_of_chapter_five() -> None:
    """Each F code of the local service's terminology is marked, or is organic, tobacco or developmental."""
    file = ROOT / "simulators/comprehend_medical/data/conditions.csv"
    with file.open(encoding="utf-8") as lines:
        codes = [code for row in csv.DictReader(lines) for code in row["codes"].split()]
    coded = {code for code in codes if code.startswith("F")}
    unmarked = {code[:3] for code in coded if not categories_of_code(code)}
    assert len(coded) > 10
    assert {one for one in unmarked if "F10" <= one < "F70" and one != "F17"} == set()
