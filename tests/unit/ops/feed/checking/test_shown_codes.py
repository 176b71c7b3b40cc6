"""The values of a coded field that may be shown, and those that may not."""

import pytest

from ops.feed.checking.places import Place
from ops.feed.checking.shown_codes import MAX_CODES, CodeField

AT = Place(1, 1)


def nothing() -> frozenset[str]:
    return frozenset()


def filled(values: dict[str, int], max_values: int = MAX_CODES) -> CodeField:
    """Each value so often, each time of another patient."""
    made = CodeField(max_values=max_values)
    for value, times in values.items():
        for patient in range(times):
            made.add(value, AT, patient, nothing)
    return made


def shown(field: CodeField) -> list[str]:
    return [one.value for one in field.shown()]


@pytest.mark.parametrize("value", ["ZQ", "Day Unit", "4W", "72", "I.P.", "WAIT LIST"])
def test_a_code_of_three_patients_is_shown(value: str) -> None:
    assert shown(filled({value: 3})) == [value]
    assert shown(filled({value: 2})) == []


@pytest.mark.parametrize(
    "value",
    [
        "19580214",
        "H0041234",
        "902-555-01000",
        "1 Main Street Halifax NS",
        "a@b",
        "Ōkafor",
        "x" * 21,
    ],
)
def test_a_number_an_address_and_a_name_in_other_letters_are_no_codes(value: str) -> None:
    field = filled({value: 50})
    assert shown(field) == []
    assert (field.hidden().values, field.hidden().messages) == (1, 50)


def test_a_value_of_one_patient_is_not_shown_however_often_it_comes() -> None:
    field = CodeField()
    for number in range(100):
        field.add("SMITH", Place(1, number), 1, nothing)
    assert shown(field) == []


def test_a_value_that_stands_in_a_private_field_of_its_message_is_not_shown() -> None:
    field = CodeField()
    for patient in range(100):
        field.add("Okafor", AT, patient, lambda: frozenset({"okafor"}))
    assert shown(field) == []


def test_a_unit_that_is_also_the_name_of_one_patient_is_shown() -> None:
    field = CodeField()
    for patient in range(40):
        private = frozenset({"west"}) if patient == 7 else frozenset[str]()
        field.add("WEST", AT, patient, lambda private=private: private)  # type: ignore[misc]
    assert shown(field) == ["WEST"]


def test_surnames_in_a_wrong_field_are_not_shown_though_several_patients_share_one() -> None:
    assert shown(filled({"SMITH": 3, **{f"NAME{chr(65 + n)}": 1 for n in range(9)}})) == []


def test_codes_are_shown_beside_a_few_rare_ones() -> None:
    codes = {"ZQ": 30, "ZR": 12, "ZS": 3, "X": 1, "Y": 2}
    assert shown(filled(codes)) == ["ZQ", "ZR", "ZS"]


def test_a_field_with_more_values_than_a_table_shows_none() -> None:
    names = {f"NAME{chr(65 + n // 26)}{chr(65 + n % 26)}": 3 for n in range(70)}
    field = filled({"I": 500, **names}, max_values=60)
    assert shown(field) == []
    assert field.count() == 500 + 210
    assert field.hidden().messages == 710
