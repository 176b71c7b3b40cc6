"""The pairs of MSH-3 and MSH-4 that may be shown, and those that may not."""

from hl7.header import find_header
from ops.feed.checking.origins import OriginTally
from ops.feed.checking.places import Place


def shown(*messages: tuple[str, str, str]) -> list[str]:
    """The pairs shown for messages of MSH-3, surname and identifier."""
    tally = OriginTally()
    for application, surname, identifier in messages:
        raw = (
            rf"MSH|^~\&|{application}|NORTHGEN|||2026||ADT^A01|1|P|2.5"
            f"\rPID|1||{identifier}^^^NORTHGEN^MR||{surname}^Amara||1958|F||||||||||A1^^^NORTHGEN\r"
        )
        header = find_header(raw.encode())
        assert header is not None
        tally.add(header, Place(1, 1))
    return [str(pair) for pair, _ in tally.shown()]


def test_the_system_of_nearly_all_messages_is_shown_however_few_the_patients_are() -> None:
    assert shown(("ADTSYS", "Okafor", "H1")) == ["ADTSYS / NORTHGEN"]


def test_a_surname_in_msh_3_is_not_shown() -> None:
    assert shown(("OKAFOR", "Okafor", "H1"), *[("ADTSYS", "Rehak", "H2")] * 9) == [
        "ADTSYS / NORTHGEN"
    ]
    assert shown(*[("Okafor, Amara", "Okafor", f"H{n}") for n in range(9)]) == []


def test_an_identifier_in_msh_3_is_not_shown() -> None:
    assert shown(*[(f"H{n}", "Okafor", f"H{n}") for n in range(9)]) == []
    assert shown(*[("ADT00412345", "Okafor", f"H{n}") for n in range(9)]) == []


def test_a_system_that_has_the_name_of_one_patient_is_shown() -> None:
    messages = [("WEST", "West" if n == 3 else "Rehak", f"H{n}") for n in range(30)]
    assert shown(*messages) == ["WEST / NORTHGEN"]


def test_a_system_of_few_messages_is_shown_from_three_patients_on() -> None:
    others = [("ADTSYS", "Rehak", f"X{n}") for n in range(30)]
    assert shown(*others, ("LAB", "Rehak", "H1"), ("LAB", "Rehak", "H2")) == ["ADTSYS / NORTHGEN"]
    three = [("LAB", "Rehak", f"H{n}") for n in range(3)]
    assert shown(*others, *three) == ["ADTSYS / NORTHGEN", "LAB / NORTHGEN"]
