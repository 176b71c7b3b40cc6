import pytest

from hl7.warnings import MessageWarning, WarningCode
from lambdas.common.contracts.message.patient import Patient
from lambdas.common.contracts.message.person import Name
from lambdas.common.errors import IdentityConflictError
from lambdas.lookup_identities.matching.agreement import agreement
from lambdas.registry.records import PatientRecord

RECORD = PatientRecord("p-1", "Okafor", "Amara", "1958-02-14", "F")


def patient(family: str = "OKAFOR", birth_date: str = "1958-02-14", sex: str = "F") -> Patient:
    return Patient(name=Name(family=family), birth_date=birth_date, sex=sex)


def test_what_was_compared_and_agrees_is_named() -> None:
    assert agreement(patient(), RECORD) == (["PID-5.1", "PID-7", "PID-8"], [])
    assert agreement(patient(sex=""), RECORD) == (["PID-5.1", "PID-7"], [])


@pytest.mark.parametrize(
    ("sent", "record"),
    [
        (Patient(), RECORD),
        (patient(), PatientRecord("p-1")),
        # Half of all patients have this sex.
        (Patient(sex="F"), RECORD),
        (patient(), PatientRecord("p-1", sex="F")),
    ],
    ids=["an empty message", "an empty record", "a sex sent", "a sex filed"],
)
def test_an_identifier_alone_is_no_match_unless_the_senders_file_says_so(
    sent: Patient, record: PatientRecord
) -> None:
    with pytest.raises(IdentityConflictError, match=r"^PID-5\.1 and PID-7 are missing"):
        agreement(sent, record)
    _, warnings = agreement(sent, record, identifier_alone=True)
    assert warnings == [MessageWarning(WarningCode.NOT_COMPARABLE, "PID-5.1 and PID-7")]


def test_an_identifier_alone_never_outweighs_what_disagrees() -> None:
    with pytest.raises(IdentityConflictError, match=r"^PID-8 disagrees"):
        agreement(Patient(sex="M"), RECORD, identifier_alone=True)


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (patient(family="Brown"), "PID-5.1 disagrees with the registry"),
        (patient(birth_date="1931-02-14"), "PID-7 disagrees with the registry"),
        (patient(sex="M"), "PID-8 disagrees with the registry"),
        (
            patient("Brown", "1931-02-14", "M"),
            "PID-5.1, PID-7 and PID-8 disagree with the registry",
        ),
    ],
)
def test_a_disagreement_is_a_conflict_that_names_positions_only(sent: Patient, text: str) -> None:
    with pytest.raises(IdentityConflictError) as raised:
        agreement(sent, RECORD)
    assert str(raised.value) == text


@pytest.mark.parametrize(
    ("sent", "registered"),
    [
        ("García", "García López"),
        ("GARCIA LOPEZ", "Garcia"),
        ("Smith-Jones", "Jones"),
        ("Okafor", "Okafor-Smith"),
        ("van der Berg", "Berg"),
        ("Berg", "de la Berg"),
    ],
)
def test_one_name_of_a_double_surname_agrees_beside_the_same_birth_date(
    sent: str, registered: str
) -> None:
    record = PatientRecord("p-1", registered, "Amara", "1958-02-14", "F")
    assert agreement(patient(sent), record)[0] == ["PID-5.1", "PID-7", "PID-8"]
    for birth_date in ("", "1958"):
        with pytest.raises(IdentityConflictError, match=r"^PID-5\.1 disagrees"):
            agreement(patient(sent, birth_date), record)
    with pytest.raises(IdentityConflictError, match=r"^PID-5\.1 and PID-7 disagree"):
        agreement(patient(sent, "1931-02-14"), record)


def test_two_double_surnames_that_share_a_name_only_disagree() -> None:
    record = PatientRecord("p-1", "García López", "", "1958-02-14")
    with pytest.raises(IdentityConflictError):
        agreement(patient("García Pérez"), record)


def test_a_particle_alone_is_no_name_to_share() -> None:
    record = PatientRecord("p-1", "van Dyk", "", "1958-02-14")
    with pytest.raises(IdentityConflictError):
        agreement(patient("van der Berg"), record)


def test_a_maiden_name_agrees_as_the_present_one_does() -> None:
    record = PatientRecord("p-1", "Lund", "", "1958-02-14", "F", former_families=("Okafor", "Ade"))
    assert agreement(patient("OKAFOR", birth_date=""), record)[0] == ["PID-5.1", "PID-8"]
    with pytest.raises(IdentityConflictError):
        agreement(patient("Brown"), record)


def test_a_registry_without_any_surname_compares_the_rest() -> None:
    record = PatientRecord("p-1", "", "", "1958-02-14", "F")
    assert agreement(patient("Brown"), record) == (["PID-7", "PID-8"], [])
