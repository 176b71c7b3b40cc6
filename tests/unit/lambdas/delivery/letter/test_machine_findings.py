"""The machine's findings in a notification, and the recipients who do not get them."""

from dataclasses import replace

import pytest

from lambdas.common.contracts.findings import (
    ClinicalFindings,
    Finding,
    FindingsOutcome,
    FindingType,
)
from lambdas.common.contracts.message.notes import Note, Skipped, SkippedReason
from lambdas.common.contracts.recipients.preferences import CostMode
from lambdas.delivery.letter.findings_rows import place
from lambdas.delivery.letter.words.locale import words_in
from tests.unit.lambdas.delivery.letter.letters import (
    ADMISSION,
    FINDINGS,
    RECIPIENT,
    both,
    letter_of,
)

NOTED = replace(ADMISSION, notes=(Note("OBX[1]-5", "a-fib"),))


def wanting(analysis: str) -> tuple[str, str]:
    """Both texts as a recipient with this preference gets them."""
    return both(letter_of(NOTED, FINDINGS, replace(RECIPIENT, analysis=CostMode(analysis))))


def test_a_finding_says_what_it_is_where_it_was_read_and_how_sure_the_machine_is() -> None:
    text = letter_of(clinical=FINDINGS).text
    assert (
        "- Unspecified atrial fibrillation (ICD-10-CM I48.91), diagnosis, acute, "
        "read from “a-fib” in report 1, score 0.93\n"
    ) in text
    assert "- chest discomfort, symptom, left, read from “chest discomfort” in the reason" in text
    assert "(RxNorm 8787), read from “propanolol” in note 2, score 0.97\n" in text
    assert "Tests\n- d-dimer, 2.1 mg/L, read from" in text
    assert "Procedures and treatments\n- cardioversion, read from" in text


def test_a_finding_is_told_in_the_readers_language() -> None:
    text = letter_of(clinical=FINDINGS, recipient=replace(RECIPIENT, language="fr-CA")).text
    assert "(ICD-10-CM I48.91), diagnostic, acute, lu «\u00a0a-fib\u00a0» dans le rapport 1" in text
    assert "score 0,93" in text


def test_what_is_not_current_is_left_out_or_named_as_past() -> None:
    for text in both(letter_of(clinical=FINDINGS)):
        past = text.index("Past history, not current")
        assert past < text.index("Gout, unspecified (ICD-10-CM M10.9)")
        assert past > text.index("cardioversion")
        for words in ("pneumonia", "breast cancer", "sepsis", "scurvy", "colchicine"):
            assert words not in text


def test_a_section_that_has_nothing_is_not_shown() -> None:
    only = ClinicalFindings(
        FindingsOutcome.EXTRACTED, tests=(Finding("troponin", finding_type=FindingType.TEST),)
    )
    text = letter_of(clinical=only).text
    assert "Tests\n- troponin" in text
    for title in ("Conditions", "Medications", "Procedures", "Past history", "nothing to list"):
        assert title not in text


def test_who_wants_no_analysis_sees_none_that_was_made_for_another() -> None:
    for text in wanting("off"):
        assert "were not analysed for you" in text
        assert "Other pulmonary embolism (I26.99" in text
        for words in ("fibrillation", "propanolol", "d-dimer", "cardioversion", "Gout", "MACHINE"):
            assert words not in text


def test_who_wants_codes_sees_conditions_and_medications_alone() -> None:
    for text in wanting("coded"):
        assert "Unspecified atrial fibrillation" in text
        assert "propanolol" in text
        for words in ("d-dimer", "cardioversion", "Gout"):
            assert words not in text


def test_a_minimal_notification_holds_no_finding() -> None:
    for text in both(letter_of(NOTED, FINDINGS, detail="minimal")):
        for words in ("fibrillation", "propanolol", "d-dimer", "cardioversion", "Gout"):
            assert words not in text


def test_what_was_not_read_is_named_with_where_and_why_each_once() -> None:
    gaps = (
        Skipped("OBX[2]-5", SkippedReason.PDF),
        Skipped("NTE[1]-3", SkippedReason.TIME, "DetectEntitiesV2"),
        Skipped("NTE[1]-3", SkippedReason.TIME, "InferICD10CM"),
        *(Skipped(f"OBX[{n}]-5", SkippedReason.LANGUAGE, "fr") for n in range(3, 8)),
    )
    for text in both(letter_of(NOTED, replace(FINDINGS, not_analysed=gaps))):
        assert (
            "was not analysed: a PDF (in report 2); time ran out (in note 1); "
            "not in English (in report 3, in report 4, in report 5, …). They may"
        ) in text


def test_a_note_in_another_language_is_said_to_be_one() -> None:
    french = ClinicalFindings(
        FindingsOutcome.NOT_ENGLISH,
        not_analysed=(Skipped("NTE[1]-3", SkippedReason.LANGUAGE, "fr"),),
    )
    for text in both(letter_of(NOTED, french)):
        assert "were not analysed: not in English (in note 1)." in text


def test_a_document_is_named_though_there_was_nothing_else_to_read() -> None:
    scanned = ClinicalFindings(
        FindingsOutcome.NOTHING_TO_READ, not_analysed=(Skipped("OBX[1]-5", SkippedReason.IMAGE),)
    )
    for text in both(letter_of(ADMISSION, scanned)):
        assert "The notes in the hospital's message were not analysed: a picture (in report" in text


@pytest.mark.parametrize("language", ["en", "fr-CA"])
def test_every_reason_for_not_reading_has_words(language: str) -> None:
    assert set(SkippedReason) == set(words_in(language).skipped.names())


@pytest.mark.parametrize(
    ("of", "said"),
    [
        ("OBX[2]-5", "in report 2"),
        ("OBX[2]-5[3]", "in report 2"),
        ("NTE[1]-3", "in note 1"),
        ("DG1[1]-3", "in the text of diagnosis 1"),
        ("PV2-3", "in the reason for the visit"),
        ("", ""),
        ("ZZZ[1]-1", ""),
    ],
)
def test_a_field_is_called_what_its_reader_calls_it(of: str, said: str) -> None:
    assert place(of, words_in("en")) == said
