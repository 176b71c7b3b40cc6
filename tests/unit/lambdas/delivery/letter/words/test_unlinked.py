"""Texts of a message in a letter: contacts are broken up, dates and numbers of the record stay."""

import pytest

from lambdas.delivery.letter.words.unlinked import REMOVED, letter_text


@pytest.mark.parametrize(
    "text",
    [
        "Fall on 05/12/2026",
        "Fall on 05/12/2026 14:30, left wrist",
        "LMP 08/14/2026",
        "last dose 10/03/2026",
        "admitted 12-03-2026",
        "stent since 01.02.2019.",
        "seen 05/12/26",
        "dialysis since 03/2026",
        "born 1958-02-14",
    ],
)
def test_a_date_in_the_hospitals_words_reaches_the_reader(text: str) -> None:
    assert letter_text(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "01.23.45.67.89",
        "01 23 45 67 89",
        "020 7946 0958",
        "0171/1234567",
        "06-12-34-56-78",
        "02.12.2012 345 67",
        "02.12.2012.345",
        "(02) 9876 5432",
        "902-555-0199",
        "+49 30 1234567",
    ],
)
def test_a_telephone_number_is_replaced_also_where_it_begins_like_a_date(text: str) -> None:
    assert letter_text(f"Call {text} now") == f"Call {REMOVED} now"
