"""Coded values by the sender's table, the standard's and plain words; unknown ones aloud."""

import pytest

from hl7.warnings import MessageWarning, WarningCode
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.senders import SenderCodes
from lambdas.parse_message.read_event import read_event


def read(
    trigger: str = "A01",
    pv1: str = "1|I",
    *more: str,
    sex: str = "F",
    mode: str = "P",
    codes: SenderCodes | None = None,
) -> PatientEvent:
    lines = [
        f"MSH|^~\\&|HIS|EAST|||20270105081500+0100||ADT^{trigger}|E-79|{mode}|2.5.1",
        f"PID|1||E-1001^^^EAST||Lindgren^Alva||19440317|{sex}",
        f"PV1|{pv1}",
        *more,
    ]
    return read_event("\r".join(lines).encode(), "e", codes=codes)


def warned(event: PatientEvent, position: str) -> set[WarningCode]:
    return {one.code for one in event.warnings if one.position == position}


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        *((word, "E") for word in ("Emergency", "ER", "ED", "EMER", "emergency room", "A and E")),
        *((word, "E") for word in ("Urgences", "Notfall", "Notaufnahme", "Urgencias")),
        *(
            (word, "O")
            for word in ("Outpatient", "OUTPT", "AMB", "Ambulatory", "Day Case", "Clinic")
        ),
        *((word, "O") for word in ("ambulant", "Externe", "consulta externa")),
        *(
            (word, "I")
            for word in ("Inpatient", "INPT", "IMP", "Inp", "stationär", "Hospitalisé", "ingreso")
        ),
        *((word, "OBS") for word in ("Observation", "OBSV", "Outpatient Observation", "OBSENC")),
        *(
            (word, "P")
            for word in ("Preadmit", "Pre-Admission", "Wait List", "Waiting List", "vorstationär")
        ),
        ("R^Recurring", "R"),
        ("X^Emergency^LOCAL", "E"),
        ("O^Inpatient^LOCAL", "I"),
        ("O^Inpatient^HL70004", "O"),
        ("i", "I"),
        (" I ", "I"),
        ("Emergency Outpatient", "E"),
    ],
)
def test_a_patient_class_is_read_in_words_and_other_tables(sent: str, found: str) -> None:
    assert read(pv1=f"1|{sent}").visit.patient_class == found


@pytest.mark.parametrize(
    "sent", ["ZQ", "Emergency Inpatient", "17", "Wd^Ward stay", "Mrs Lindgren"]
)
def test_an_unknown_class_is_a_warning_and_never_silent(sent: str) -> None:
    event = read(pv1=f"1|{sent}")
    assert event.visit.patient_class == "other"
    assert WarningCode.UNKNOWN_CODE in warned(event, "PV1-2")


def test_the_senders_own_tables_come_first() -> None:
    codes = SenderCodes(
        patient_classes={"ZQ": "I", "O": "E"},
        admission_types={"WALKIN": "E"},
        sexes={"2": "F"},
        units={"4W": "Cardiology"},
        facilities={"ANNEX": "EAST"},
    )
    event = read("A01", "1|ZQ|4W^1^^ANNEX|WALKIN", sex="2", codes=codes)
    assert (event.visit.patient_class, event.visit.admission_type) == ("I", "E")
    assert (event.patient.sex, event.visit.location.unit_name) == ("F", "Cardiology")
    assert event.visit.location.facility == "EAST"
    assert not warned(event, "PV1-2") | warned(event, "PV1-4") | warned(event, "PID-8")
    assert read(pv1="1|O", codes=codes).visit.patient_class == "E"


def test_two_codes_of_one_facility_are_one_facility() -> None:
    codes = SenderCodes(facilities={"ANNEX": "EAST"})
    visit = read("A02", "1|I|4W^^^ANNEX|||3W^^^EAST", codes=codes).visit
    assert visit.location.facility == visit.prior_location.facility == "EAST"


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        ("female", "F"),
        ("Mann", "MANN"),
        ("männlich", "M"),
        ("W", "F"),
        ("F^Female", "F"),
        ("Homme", "M"),
    ],
)
def test_the_sex_is_read_in_words(sent: str, found: str) -> None:
    assert read(sex=sent).patient.sex == found


@pytest.mark.parametrize(
    ("trigger", "patient_class"),
    [("A04", "I"), ("A04", "OBS"), ("A06", "O"), ("A06", "Preadmit")],
)
def test_a_class_that_contradicts_its_trigger_event_is_a_warning(
    trigger: str, patient_class: str
) -> None:
    event = read(trigger, f"1|{patient_class}")
    assert WarningCode.CLASS_CONTRADICTS_TRIGGER in warned(event, "PV1-2")


@pytest.mark.parametrize("mode", ["P^I", "P^A", "P^R", "p^i"])
def test_an_initial_load_an_archive_and_a_restore_are_no_news(mode: str) -> None:
    event = read(mode=mode)
    assert (event.processing_mode, event.numbers.load) == (mode[-1].upper(), True)
    assert MessageWarning(WarningCode.NOT_CURRENT, "MSH-11.2") in event.warnings


@pytest.mark.parametrize("mode", ["P", "P^", "P^T", 'P^""', "P^Not present"])
def test_current_processing_is_news(mode: str) -> None:
    assert not read(mode=mode).numbers.load


@pytest.mark.parametrize(
    ("pv2", "dg1"),
    [
        ("^fever & rigors for 3 days", "1||A41.9^Sepsis & shock^I10"),
        ("R50^fever & rigors for 3 days^I10", "1|I9|038|Sepsis & shock"),
        ("^^^^fever & rigors for 3 days", "1||^^^^Sepsis & shock"),
    ],
)
def test_a_bare_ampersand_is_text(pv2: str, dg1: str) -> None:
    event = read("A01", "1|I||||||||||||||||||", f"PV2|||{pv2}", f"DG1|{dg1}")
    assert event.visit.reason.text == "fever & rigors for 3 days"
    assert event.diagnoses[0].text == "Sepsis & shock"


@pytest.mark.parametrize(
    ("sent", "family"),
    [
        ("Marks & Spencer^Ann", "Marks & Spencer"),
        ("Marks&Spencer^Ann", "Marks&Spencer"),
        ("van Berg&van&Berg^Ann", "van Berg"),
        ("Berg&van^Ann", "Berg"),
        ("Lind&&Lind^Ann", "Lind"),
        ("Lind&^Ann", "Lind"),
    ],
)
def test_a_surname_has_subcomponents_only_where_it_looks_like_them(sent: str, family: str) -> None:
    raw = f"MSH|^~\\&|H|E|||20270105||ADT^A01|1|P|2.5\rPID|1||7||{sent}\rPV1|1|I|||||9^{sent}"
    event = read_event(raw.encode(), "e")
    assert event.patient.name.family == family
    assert event.practitioners[0].name.family == family
    assert event.patient.name.given == "Ann"


@pytest.mark.parametrize(
    ("sent", "facility", "unit"),
    [
        ("A&E^1^2^St Mary & St John", "St Mary & St John", "A&E"),
        ("4W^1^2^EAST&1.2.3&ISO", "EAST", "4W"),
        ("4W^1^2^EAST&1&NPI", "EAST", "4W"),
        ("4W^1^2^&1.2.3&ISO", "1.2.3", "4W"),
        ("Med&Surg^1^2^D&G", "D&G", "Med&Surg"),
    ],
)
def test_a_place_has_subcomponents_only_where_it_looks_like_them(
    sent: str, facility: str, unit: str
) -> None:
    found = read(pv1=f"1|I|{sent}").visit.location
    assert (found.facility, found.unit) == (facility, unit)


def test_every_component_of_a_place_is_read() -> None:
    found = read(pv1="1|I|K3^12^A^EAST^U^N^North Wing^3^Ward of the north").visit.location
    assert (found.building, found.floor, found.description) == (
        "North Wing",
        "3",
        "Ward of the north",
    )


@pytest.mark.parametrize(
    ("sent", "date", "unreadable"),
    [
        ("1944-03-17", "1944-03-17", False),
        ("17/03/1944", "1944-03-17", False),
        ("03/03/1961", "1961-03-03", False),
        ("19440000", "1944", False),
        ("19440300", "1944-03", False),
        ("19440317000000.000+0100", "1944-03-17", False),
        ("03/04/1961", "", True),
        ("19440341", "", True),
        ("440317", "", True),
        ("unknown", "", True),
        ("00000000", "", True),
        ("", "", False),
        ('""', "", False),
    ],
)
def test_a_birth_date_is_read_or_marked_as_unreadable(
    sent: str, date: str, unreadable: bool
) -> None:
    raw = f"MSH|^~\\&|H|E|||20270105||ADT^A01|1|P|2.5\rPID|1||7||L^A||{sent}|F\rPV1|1|I"
    event = read_event(raw.encode(), "e")
    assert (event.patient.birth_date, event.patient.birth_date_unreadable) == (date, unreadable)
    assert event.unreadable("PID-7") is unreadable
