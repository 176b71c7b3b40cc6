"""The marks that a message sets on its stay: flags by position, and sensitive categories by their basis."""

import pytest

from lambdas.common.contracts.encounters.protection import Basis
from lambdas.common.contracts.recipients.consent import Sensitivity
from lambdas.common.senders import SenderCodes, sender_profile
from lambdas.parse_message.read_event import read_event

CODES = sender_profile(
    {
        "not_vip_codes": ["Staff"],
        "sensitive_units": {"substance_use": ["SUDU", "Hope House"]},
        "sensitive_services": {"mental_health": ["psy"]},
        "sensitive_diagnoses": {"hiv": ["86406008"]},
        "units": {"4N": "Inpatient Psychiatry"},
    }
).codes

Marks = tuple[list[str], set[tuple[str, str]]]


def marks(*segments: str, msh8: str = "", codes: SenderCodes = CODES) -> Marks:
    """The flags, and the categories with their basis, of an admission with these segments."""
    lines = [
        f"MSH|^~\\&|ADT|WEST|||20261123101500|{msh8}|ADT^A01|1|P|2.5.1",
        "EVN|A01|20261123100000",
        "PID|1||H1^^^WEST^MR",
    ]
    if not any(one.startswith("PV1") for one in segments):
        lines.append("PV1|1|I|4W^1^A^WEST")
    raw = "\r".join([*lines, *segments]).encode()
    numbers = read_event(raw, "e1", "west", codes=codes).numbers
    found = {(mark.category.value, mark.basis.value) for mark in numbers.sensitive}
    return [flag.value for flag in numbers.protections], found


def field(name: str, **values: str) -> str:
    """A segment with these fields: `field("PV1", f16="VIP")`."""
    given = {int(key[1:]): value for key, value in values.items()}
    return "|".join([name, *(given.get(n, "") for n in range(1, max(given) + 1))])


@pytest.mark.parametrize(
    ("segment", "flag"),
    [
        (field("PV1", f2="I", f16="VIP"), "PV1-16"),
        (field("PV1", f2="I", f16="1"), "PV1-16"),
        (field("PV1", f2="I", f16="N"), ""),
        (field("PV1", f2="I", f16="STAFF"), ""),
        (field("PV2", f21="N"), "PV2-21"),
        (field("PV2", f21="F"), "PV2-21"),
        (field("PV2", f21="U"), ""),
        (field("PV2", f22="Y"), "PV2-22"),
        (field("PV2", f22="N"), ""),
        (field("PD1", f11="N"), "PD1-11"),
        # Immunization registries: how the patient may be reminded, no privacy.
        (field("PD1", f11="02"), ""),
        (field("PD1", f12="Y"), "PD1-12"),
        (field("DG1", f1="1", f3="I10^Hypertension^I10", f18="Y"), "DG1-18"),
        ("ARV|1|A|DEM^all^HL70717|OO^by patient^HL70719", "ARV"),
        ("ARV|1|X|ALL", "ARV"),
        ("ARV|1|D|ALL", ""),
        ("ARV|1|A|NO^None^HL70717", ""),
        ("ARV|1|A|OI", ""),
    ],
)
def test_a_flag_is_set_by_its_position_and_code(segment: str, flag: str) -> None:
    assert marks(segment)[0] == ([flag] if flag else [])


@pytest.mark.parametrize(
    ("msh8", "flags", "categories"),
    [
        ("R", ["MSH-8"], set()),
        ("ETH", ["MSH-8"], {("substance_use", "code")}),
        ("HIV", ["MSH-8"], {("hiv", "code")}),
        ("U", [], set()),
        # Senders write the user who made the message into MSH-8.
        ("CHARRIS", [], set()),
    ],
)
def test_security_is_a_confidentiality_code_and_no_user_name(
    msh8: str, flags: list[str], categories: set[tuple[str, str]]
) -> None:
    assert marks(msh8=msh8) == (flags, categories)


@pytest.mark.parametrize(
    ("segment", "category", "basis"),
    [
        ("PV1|1|I|sudu^2^1^WEST", Sensitivity.SUBSTANCE_USE, Basis.UNIT),
        ("PV1|1|I|4W^1^A^HOPE HOUSE", Sensitivity.SUBSTANCE_USE, Basis.UNIT),
        ("PV1|1|I|4W^1^A^WEST|||SUDU^2^1^WEST", Sensitivity.SUBSTANCE_USE, Basis.UNIT),
        (field("PV1", f2="I", f10="PSY"), Sensitivity.MENTAL_HEALTH, Basis.SERVICE),
        ("DG1|1||F11.20^Opioid dependence^I10", Sensitivity.SUBSTANCE_USE, Basis.DIAGNOSIS),
        ("DG1|1||86406008^Infection^SCT", Sensitivity.HIV, Basis.DIAGNOSIS),
        ("DG1|1||^^^B20^HIV disease^I10", Sensitivity.HIV, Basis.DIAGNOSIS),
        ("DG1|1|||Chronic schizophrenia", Sensitivity.MENTAL_HEALTH, Basis.DIAGNOSIS),
        ("PV2|||^requests emergency contraception", Sensitivity.SEXUAL_HEALTH, Basis.DIAGNOSIS),
        ("ARV|1|A|PSY^Psychiatric^HL70717", Sensitivity.MENTAL_HEALTH, Basis.CODE),
        # The letter shows the words of places and of the disposition.
        ("PV1|1|I|PSYCH^2^1^WEST", Sensitivity.MENTAL_HEALTH, Basis.DIAGNOSIS),
        ("PV1|1|I|4N^1^A^WEST", Sensitivity.MENTAL_HEALTH, Basis.DIAGNOSIS),
        (
            "PV1|1|I|4W^1^A^WEST^^^^^Detoxification unit",
            Sensitivity.SUBSTANCE_USE,
            Basis.DIAGNOSIS,
        ),
        ("PV1|1|I|4W^1^A^WEST|||5E^^^^^^^^HIV clinic", Sensitivity.HIV, Basis.DIAGNOSIS),
        (field("PV1", f2="I", f36="65"), Sensitivity.MENTAL_HEALTH, Basis.DIAGNOSIS),
        (field("PV1", f2="I", f36="93^^NUBC"), Sensitivity.MENTAL_HEALTH, Basis.DIAGNOSIS),
        (field("PV1", f2="I", f36="X^To detox"), Sensitivity.SUBSTANCE_USE, Basis.DIAGNOSIS),
        (
            field("PV1", f2="I", f37="Lakeside Behavioral Health"),
            Sensitivity.MENTAL_HEALTH,
            Basis.DIAGNOSIS,
        ),
    ],
)
def test_a_sensitive_stay_is_marked_by_category_and_basis(
    segment: str, category: Sensitivity, basis: Basis
) -> None:
    assert marks(segment)[1] == {(category.value, basis.value)}


@pytest.mark.parametrize(
    "segment",
    [
        # Audiology and step-down: too short for words.
        "PV1|1|I|AUD^1^A^WEST",
        "PV1|1|I|STD^1^A^WEST",
        # The sender's own code 65, and one of another table.
        field("PV1", f2="I", f36="65^Home with intravenous therapy"),
        field("PV1", f2="I", f36="65^^99LOCAL"),
        field("PV1", f2="I", f36="03", f37="Cedar Court"),
    ],
)
def test_codes_of_places_are_no_words_and_other_destinations_no_marks(segment: str) -> None:
    assert marks(segment) == ([], set())


def test_an_ordinary_stay_has_no_marks() -> None:
    assert marks("DG1|1||I21.4^Myocardial infarction^I10", "PV2|||R07.9^Chest pain^I10") == (
        [],
        set(),
    )
