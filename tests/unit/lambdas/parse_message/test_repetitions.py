"""A `~` in a text that the standard does not repeat is text; between codes it separates values."""

import pytest
from hl7apy import load_library
from hypothesis import given
from hypothesis import strategies as st

from hl7.death import Evidence
from hl7.header import find_header
from hl7.identity import patient_identifier
from hl7.warnings import WarningCode
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.parse_message.read_event import read_event
from lambdas.parse_message.values.versions import KNOWN

TEXT, DROPPED = WarningCode.NOT_STANDARD_FORM, WarningCode.TOO_MANY_REPETITIONS


def raw(
    reason: str = "", dg1: str = "", pv1_36: str = "", pv1_37: str = "", evn_7: str = ""
) -> bytes:
    lines = (
        r"MSH|^~\&|HIS|EAST|||20270105081500+0100||ADT^A03|E-79|P|2.5.1",
        f"EVN|A03|20270105081500+0100|||||{evn_7}",
        "PID|1||E-1001^^^EAST~E-1002^^^WEST||Lindgren^Alva||19440317|F",
        f"PV1|1|I|4W^1^2^EAST{'|' * 33}{pv1_36}|{pv1_37}",
        f"PV2|||{reason}",
        *([f"DG1|1||{dg1}"] if dg1 else []),
    )
    return "".join(f"{line}\r" for line in lines).encode()


def read(**fields: str) -> PatientEvent:
    return read_event(raw(**fields), "e")


def warned(event: PatientEvent) -> set[tuple[WarningCode, str]]:
    return {(one.code, one.position) for one in event.warnings if one.code in (TEXT, DROPPED)}


@pytest.mark.parametrize(
    ("sent", "code", "text"),
    [
        ("^Chest pain ~ onset 2 h ago", "", "Chest pain ~ onset 2 h ago"),
        ("Fever~cough", "Fever~cough", ""),
        ("R07.4^Chest pain~unclear^I10", "R07.4", "Chest pain~unclear"),
        (r"^a \R\ b ~ c", "", "a ~ b ~ c"),
    ],
)
def test_a_reason_keeps_its_tilde(sent: str, code: str, text: str) -> None:
    event = read(reason=sent)
    assert (event.visit.reason.code, event.visit.reason.text) == (code, text)
    assert warned(event) == {(TEXT, "PV2-3")}


def test_diagnoses_places_and_facilities_keep_their_tilde() -> None:
    event = read(dg1="^Fall ~ hip fracture", pv1_37="Millbrook ~ east wing", evn_7="East ~ campus")
    assert event.diagnoses[0].text == "Fall ~ hip fracture"
    assert event.visit.discharged_to == "Millbrook ~ east wing"
    assert event.visit.facility_name == "East ~ campus"
    assert warned(event) == {(TEXT, "DG1[1]-3"), (TEXT, "PV1-37"), (TEXT, "EVN-7")}
    old = read(dg1="S72.0|Fall ~ hip fracture")
    assert old.diagnoses[0].text == "Fall ~ hip fracture"


@pytest.mark.parametrize(
    "sent", ["I21.4^NSTEMI^I10~E11.9^Diabetes^I10", "I21.4~E11.9", "I21.4^NSTEMI~DM^Diabetes"]
)
def test_codes_that_are_repeated_are_values_of_which_the_first_is_read(sent: str) -> None:
    event = read(dg1=sent)
    assert event.diagnoses[0].code == "I21.4"
    assert warned(event) == {(DROPPED, "DG1[1]-3")}


def test_a_second_disposition_that_may_be_a_death_goes_to_a_person() -> None:
    event = read(pv1_36="01~20")
    assert (event.death, event.patient.died) == (Evidence.UNCLEAR, False)
    assert read(pv1_36="20~20").patient.died
    assert not read(pv1_36="01~01").warnings


@pytest.mark.parametrize("sent", ["Chest pain", "Chest pain~", '~""', '""', ""])
def test_a_field_of_one_value_is_no_warning(sent: str) -> None:
    event = read(reason=sent)
    assert event.visit.reason.code == sent.strip('~"')
    assert warned(event) == set()


@pytest.mark.parametrize("version", KNOWN)
@pytest.mark.parametrize("position", ["EVN-7", "PV1-36", "PV1-37", "PV2-3", "DG1-3", "DG1-4"])
def test_the_standard_repeats_none_of_these_fields_in_any_version(
    version: str, position: str
) -> None:
    """hl7apy's tables hold the cardinality that each version gives a field; 0 is a withdrawn one."""
    name, _, number = position.partition("-")
    segments = load_library(version).SEGMENTS
    fields = segments[name][1] if name in segments else ()
    most = [one[2][1] for one in fields if one[0] == f"{name}_{number}"]
    assert all(count in (0, 1) for count in most)


@given(st.text("ab ~^1", max_size=12), st.text("ab ~^1", max_size=12))
def test_a_tilde_in_a_text_changes_no_other_field(reason: str, diagnosis: str) -> None:
    event = read(reason=reason, dg1=f"x{diagnosis}")
    assert [one.value for one in event.patient.identifiers] == ["E-1001", "E-1002"]
    assert (event.visit.patient_class, event.visit.location.unit) == ("I", "4W")
    header = find_header(raw(reason=reason, dg1=f"x{diagnosis}"))
    assert header is not None
    assert patient_identifier(header) == ("E-1001", "EAST")
