"""The patient event that a message becomes: identifiers, people, visit, notes, across versions."""

from zoneinfo import ZoneInfo

import pytest

from hl7.warnings import MessageWarning, WarningCode
from lambdas.common.contracts.document import read_as, to_document
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.patient import PatientIdentifier
from lambdas.parse_message.read_event import read_event
from tests.support.decided import decided
from tests.support.messages import sample

VERSIONS = ("2.1", "2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.8", "2.8.2")


def read(*segments: str, version: str = "2.5", trigger: str = "ADT^A01") -> PatientEvent:
    lines = (
        f"MSH|^~\\&|ADTSYS|NORTHGEN|||20261123091500-0400||{trigger}|M1|P|{version}",
        *segments,
    )
    return read_event("\r".join(lines).encode(), "e")


def read_pid(pid: str, **more: str) -> PatientEvent:
    return read(f"PID|{pid}", **more)


def segment(name: str, fields: dict[int, str]) -> str:
    return "|".join([name, *(fields.get(number, "") for number in range(1, max(fields) + 1))])


def test_the_admission_is_read_whole() -> None:
    event = read_event(sample("admission"), "e1", "northgen")

    assert (event.event_id, event.sender) == ("e1", "northgen")
    assert (event.trigger_event, event.event_kind, event.notifiable) == ("A01", "", False)
    assert (event.hl7_version, event.processing_id) == ("2.5.1", "P")
    assert event.sending_application == "ADTSYS"
    assert event.sending_facility == "NORTHGEN"
    assert event.message_control_id == "NG-20261123-000731"
    assert event.message_time == "2026-11-23T09:15:02-04:00"
    assert event.recorded_at == "2026-11-23T09:15:00-04:00"
    assert event.event_time() == event.occurred_at == "2026-11-23T09:12:00-04:00"
    assert event.skipped_segments == ("NK1", "ZBE")
    assert event.warnings == ()

    patient = event.patient
    assert patient.identifiers == (
        PatientIdentifier("H00412", "NORTHGEN", "2.16.840.1.113883.3.9999.11", "MR", "PID-3"),
    )
    assert patient.name.display() == "Amara N Okafor"
    assert (patient.birth_date, patient.sex, patient.died) == ("1958-02-14", "F", False)
    assert patient.phones == ("^PRN^PH^^1^902^0550199",)
    assert patient.account_number == "0077120"

    visit = event.visit
    assert (visit.patient_class, visit.admission_type) == ("I", "E")
    assert (visit.location.facility, visit.location.unit) == ("NORTHGEN", "4W")
    assert (visit.location.room, visit.location.bed) == ("412", "B")
    assert visit.visit_number == "V884213"
    assert visit.admitted_at == "2026-11-23T09:12:00-04:00"
    assert (visit.reason.code, visit.reason.text) == ("R07.9", "Chest pain, unspecified")
    assert visit.facility_name == "Northtown General"

    assert [(p.role, p.name.display(), p.identifier, p.field) for p in event.practitioners] == [
        ("attending", "Dr Ines Barros", "1777777776", "PV1-7"),
        ("admitting", "Dr Ines Barros", "1777777776", "PV1-17"),
        ("referring", "Dr Wei Chen", "1666666668", "PV1-8"),
        ("primary_care", "Dr Petra Lindqvist", "1888888884", "PD1-4"),
    ]
    assert event.practitioners[0].assigning_authority == "NPI"
    assert event.practitioners[0].identifier_type == "NPI"

    diagnosis = event.diagnoses[0]
    assert (diagnosis.code, diagnosis.system, diagnosis.diagnosis_type) == ("I21.4", "I10", "A")

    assert [note.field for note in event.notes] == [
        "OBX[1]-5",
        "OBX[2]-5",
        "OBX[3]-5",
        "NTE[1]-3",
    ]
    assert event.notes[1].text.startswith("Known type 2 diabetes and atrial fibrillation.\nDenies")
    assert event.notes[2].text == (
        "Takes metformin 500 mg twice daily & apixaban 5 mg twice daily.\n"
        "Aspirin 300 mg given in the ambulance."
    )


def test_the_event_survives_its_journey_through_the_vault() -> None:
    event = read_event(sample("admission"), "e1", "northgen")
    assert read_as(PatientEvent, to_document(event)) == event


def test_the_old_ed_registration_is_read_with_the_senders_zone() -> None:
    event = read_event(sample("ed_registration"), "e", "northgen", ZoneInfo("America/Halifax"))
    assert (event.visit.patient_class, event.hl7_version) == ("E", "2.3")
    assert event.visit.admitted_at == "2026-11-23T02:05-04:00"
    assert event.recorded_at == "2026-11-23T02:09-04:00"
    assert event.patient.sex == "F"
    assert event.visit.reason.text == "chest pain since midnight, denies fever"
    assert [note.field for note in event.notes] == ["OBX[1]-5"]
    assert [(p.role, p.name.family) for p in event.practitioners] == [
        ("attending", "BARROS"),
        ("primary_care", "LINDQVIST"),
    ]


@pytest.mark.parametrize(
    ("name", "trigger_event", "kind"),
    [
        ("transfer", "A02", "transfer"),
        ("bed_move", "A02", ""),
        ("discharge", "A03", "discharge"),
        ("discharge_expired", "A03", "death"),
        ("cancel", "A11", ""),
        ("merge", "A40", ""),
        ("two_recipients", "A01", "admission"),
        ("phi_in_ids", "A01", "admission"),
    ],
)
def test_each_sample_is_what_its_table_says(name: str, trigger_event: str, kind: str) -> None:
    event = decided(read_event(sample(name), "e"))
    assert (event.trigger_event, event.event_kind) == (trigger_event, kind)


def test_a_discharge_says_where_to_and_when() -> None:
    visit = read_event(sample("discharge"), "e").visit
    assert (visit.disposition.code, visit.discharged_to) == ("03", "SNF77")
    assert visit.discharged_at == "2026-11-27T14:25:00-04:00"


def test_a_death_is_read_from_pid_29_and_30() -> None:
    patient = read_event(sample("discharge_expired"), "e").patient
    assert (patient.died, patient.died_at) == (True, "2026-11-27T14:10:00-04:00")
    assert not read_pid('1||7^^^N||X||||||||||||||||||||||||""|N').patient.died
    assert not read_pid("1||7^^^N||X||||||||||||||||||||||||20261127|N").patient.died
    assert read_pid("1||7^^^N||X|||||||||||||||||||||||||y", version="2.8").patient.died


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_gives_the_same_event(version: str) -> None:
    event = read(
        "EVN|A01|202611230912-0400||||202611230910-0400",
        "PID|1||0699999^03^M10^NORTHGEN^MR||Okafor^Amara||19580214|F|||||^PRN^PH^^044^0161^0005551234"
        "|||||000123",
        "PD1||||0188^Lindqvist^Petra",
        "ROL|1|AD|AT|0177^Barros^Ines",
        segment(
            "PV1",
            {
                2: "I",
                3: "4W^412^B^NORTHGEN",
                7: "0166^Chen^Wei",
                19: "000884",
                36: "20",
                44: "202611230912-0400",
            },
        ),
        "DG1|1||I21.4||||A",
        version=version,
    )
    assert event.hl7_version == version
    assert event.patient.identifiers[0].value == "0699999"
    assert event.patient.phones == ("^PRN^PH^^044^0161^0005551234",)
    assert event.patient.account_number == "000123"
    assert event.visit.visit_number == "000884"
    assert event.visit.admitted_at == "2026-11-23T09:12-04:00"
    assert event.visit.disposition.code == "20"
    assert event.occurred_at == "2026-11-23T09:10-04:00"
    assert [(p.role, p.identifier) for p in event.practitioners] == [
        ("attending", "0166"),
        ("primary_care", "0188"),
        ("attending", "0177"),
    ]
    assert event.diagnoses[0].code == "I21.4"


@pytest.mark.parametrize(
    "identifier", ["007", "0", "A&B", "12 34", " 7 ", "7/8", "é9", "1e5", "+7", "0x10"]
)
def test_an_identifier_is_kept_exactly_as_sent(identifier: str) -> None:
    assert read_pid(f"1||{identifier}^^^N").patient.identifiers[0].value == identifier
    assert read_pid(f"1|||{identifier}^^^N").patient.identifiers[0].field == "PID-4"


def test_identifiers_of_all_three_fields_are_read_pid_3_first() -> None:
    event = read_pid('1|2^^^B|3^^^A~33^^^A^SS~""~|4^^^C')
    assert [(i.value, i.field) for i in event.patient.identifiers] == [
        ("3", "PID-3"),
        ("33", "PID-3"),
        ("2", "PID-2"),
        ("4", "PID-4"),
    ]


@pytest.mark.parametrize(
    ("sent", "authority"),
    [
        ("0123456789^aa^^jp", "aa"),
        ("0123456789^aa", "aa"),
        ("0123456789^3^M11^jp", "jp"),
        ("0123456789^X^^jp", "jp"),
        ("0123456789^AB^ISO^jp", "jp"),
        ("0123456789^^^jp", "jp"),
    ],
)
def test_an_authority_in_the_place_of_the_check_digit_is_seen(sent: str, authority: str) -> None:
    event = read_pid(f"1|||{sent}")
    assert event.patient.identifiers[0].assigning_authority == authority
    repaired = MessageWarning(WarningCode.NO_CHECK_DIGIT, "PID-4.2") in event.warnings
    assert repaired is (authority == "aa")


def test_a_patient_without_any_identifier_is_read_with_a_warning() -> None:
    event = read_pid("1||||Okafor")
    assert event.patient.identifiers == ()
    assert MessageWarning(WarningCode.EMPTY, "PID-3") in event.warnings


def test_the_legal_name_goes_before_an_alias() -> None:
    def name(pid_5: str) -> str:
        return read_pid(f"1||7^^^N||{pid_5}").patient.name.family

    assert name("Star^A^^^^^A~Okafor^A^^^^^L") == "Okafor"
    assert name("Star^A^^^^^A~Okafor^A") == "Okafor"
    assert name("Star^A^^^^^A") == "Star"
    assert name("van Berg&van&Berg^A") == "van Berg"


def test_the_trigger_comes_from_msh_9_and_only_else_from_evn_1() -> None:
    pid = "PID|1||7^^^N"
    assert read("EVN|A08", pid, trigger="adt^a03").trigger_event == "A03"
    fallback = read("EVN|A03", pid, trigger="ADT")
    assert fallback.trigger_event == "A03"
    assert MessageWarning(WarningCode.READ_ELSEWHERE, "MSH-9.2", "EVN-1") in fallback.warnings
    assert read(pid, trigger="").trigger_event == ""
    for other in ("ORU^R01", "ADT^A99", "ADT^Okafor", "MDM^A01"):
        event = read(pid, "PV1|1|I", trigger=other)
        assert event.trigger_event == "other"


def test_codes_that_the_state_carries_come_from_closed_lists() -> None:
    event = read("PID|1||7^^^N", "PV1|1|Mrs Okafor|4W|her sister")
    assert (event.visit.patient_class, event.visit.admission_type) == ("other", "other")
    assert read("PID|1||7^^^N", "PV1|1|i^Inpatient^HL70004").visit.patient_class == "I"


@pytest.mark.parametrize(
    ("now", "before", "missing"),
    [
        ("A^1^1^SOUTH", "B^1^1^NORTH", False),
        ("A^1^1^NORTH&1&NPI", "B^1^1^north", False),
        ("A^1^1^&1&NPI", "B^1^1^&2&NPI", False),
        ("A^1^1^&1&NPI", "B^1^1^NORTH", True),
        ("A^1^1", "B^1^1", True),
        ("A^1^1^SOUTH", "", True),
    ],
)
def test_a_transfer_that_does_not_name_two_facilities_is_a_warning(
    now: str, before: str, missing: bool
) -> None:
    event = read("PID|1||7^^^N", f"PV1|1|I|{now}|||{before}", trigger="ADT^A02")
    warned = {warning.code for warning in event.warnings}
    assert (WarningCode.FACILITY_MISSING in warned) is missing


def test_a_person_taken_out_of_the_role_is_not_read() -> None:
    event = read(
        "PID|1||7^^^N", "ROL|1|DE|PP|1^Lindqvist", "ROL|2|AD|FHCP|2^Chen", "ROL|3|AD|XX|3^Barros"
    )
    assert [(p.role, p.identifier) for p in event.practitioners] == [("primary_care", "2")]


def test_a_diagnosis_takes_text_and_system_from_the_older_fields() -> None:
    found = read("PID|1||7^^^N", "DG1|1|I9|410.7|Subendocardial infarct||w", "DG1|2").diagnoses
    assert [(d.code, d.text, d.system, d.diagnosis_type) for d in found] == [
        ("410.7", "Subendocardial infarct", "I9", "W")
    ]


def test_a_deleted_diagnosis_is_none() -> None:
    deleted = f"DG1|1||F10.2^Alcohol dependence^I10{'|' * 18}D"
    updated = f"DG1|2||J18.9^Pneumonia^I10{'|' * 18}U"
    assert [d.code for d in read("PID|1||7^^^N", deleted, updated).diagnoses] == ["J18.9"]


def test_the_comments_of_a_withdrawn_observation_are_withdrawn_with_it() -> None:
    event = read(
        "PID|1||7^^^N",
        "OBX|1|TX|||of another patient||||||W",
        "NTE|1||also of the other patient",
        "NTE|2||and this",
        "OBX|2|TX|||stable||||||F",
        "NTE|3||walks alone",
    )
    assert [note.text for note in event.notes] == ["stable", "walks alone"]


def test_only_text_becomes_a_note() -> None:
    event = read(
        "PID|1||7^^^N",
        "OBX|1|NM|||37.2",
        "OBX|2|ED|||^AP^XYZ^Base64^AAAA",
        "OBX|3|St|||a ^ b & c",
        "OBX|4||||untyped",
        "OBX|5|TX|||wrong patient||||||W",
        f"OBX|6|TX|||{'iVBORw0KGgo' + 'QUJD' * 100}",
        'OBX|7|FT|||""',
        "NTE|1||~one~~two~",
    )
    assert [(n.field, n.text) for n in event.notes] == [
        ("OBX[3]-5", "a ^ b & c"),
        ("NTE[1]-3", "one\n\ntwo"),
    ]
    assert MessageWarning(WarningCode.VALUE_TYPE_MISSING, "OBX[4]-2") in event.warnings
    assert MessageWarning(WarningCode.NOTE_WITHDRAWN, "OBX[5]-11") in event.warnings
    assert [(u.position, u.reason) for u in event.skipped_notes] == [
        ("OBX[2]-5", "other"),
        ("OBX[6]-5", "image"),
    ]
