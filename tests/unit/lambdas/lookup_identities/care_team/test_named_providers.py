from hl7.warnings import MessageWarning, WarningCode
from lambdas.common.contracts.message.person import Name
from lambdas.common.contracts.message.practitioner import Practitioner, PractitionerRole
from lambdas.lookup_identities.care_team.named_providers import (
    Named,
    identifier_pairs,
    named_providers,
)
from lambdas.registry.records import Provider

LINDQVIST = Provider("dr-l", Name("Lindqvist", "Petra"), "1888888884", "p@clinic.example")
SMITH = Provider("dr-s", Name("Smith", "John"), "", "s@clinic.example")
FILED = {
    ("NPI", "1888888884"): "dr-l",
    ("NPI", "1666666668"): "dr-c",
    ("NORTHGEN", "S-117"): "dr-s",
}


def practitioner(
    role: PractitionerRole = PractitionerRole.ATTENDING,
    family: str = "",
    given: str = "",
    **rest: str,
) -> Practitioner:
    return Practitioner(role=role, name=Name(family, given), **rest)


def names(*practitioners: Practitioner) -> list[Named]:
    return named_providers(practitioners, [LINDQVIST, SMITH], FILED)[0]


def test_an_npi_names_its_provider_whatever_the_name_beside_it() -> None:
    sent = practitioner(identifier="1888888884", identifier_type="NPI", family="Nobody")
    assert names(sent) == [Named("dr-l", PractitionerRole.ATTENDING)]


def test_ten_digits_with_a_right_check_digit_need_no_type() -> None:
    assert identifier_pairs(practitioner(identifier="1888888884")) == [("NPI", "1888888884")]


def test_an_npi_is_known_by_the_oid_of_its_authority() -> None:
    sent = practitioner(identifier="1888888884", assigning_authority="2.16.840.1.113883.4.6")
    assert identifier_pairs(sent) == [("NPI", "1888888884")]


def test_a_wrong_check_digit_is_a_warning_and_the_number_is_not_looked_up() -> None:
    sent = practitioner(identifier="1888888880", identifier_type="NPI", field="PV1-7")
    assert not identifier_pairs(sent)
    assert named_providers([sent], [LINDQVIST], FILED) == (
        [],
        [MessageWarning(WarningCode.NPI_INVALID, "PV1-7")],
    )


def test_an_identifier_with_its_authority_names_its_provider() -> None:
    sent = practitioner(identifier="S-117", assigning_authority="NORTHGEN")
    assert names(sent) == [Named("dr-s", PractitionerRole.ATTENDING)]


def test_an_identifier_without_authority_that_is_no_npi_names_nobody() -> None:
    assert not names(practitioner(identifier="S-117"))


def test_a_name_names_a_related_provider() -> None:
    sent = practitioner(role=PractitionerRole.PRIMARY_CARE, family="SMITH", given="john")
    assert names(sent) == [Named("dr-s", PractitionerRole.PRIMARY_CARE)]


def test_an_initial_is_enough_beside_the_surname_but_a_surname_alone_is_not() -> None:
    assert names(practitioner(family="Smith", given="J.")) == [
        Named("dr-s", PractitionerRole.ATTENDING)
    ]
    assert not names(practitioner(family="Smith"))


def test_a_name_that_fits_two_related_providers_names_neither() -> None:
    other = Provider("dr-s2", Name("Smith", "Jane"))
    named, _ = named_providers([practitioner(family="Smith", given="J")], [SMITH, other], {})
    assert not named


def test_a_name_never_reaches_a_provider_who_is_not_related() -> None:
    assert named_providers([practitioner(family="Smith", given="John")], [], {}) == ([], [])


def test_a_number_of_somebody_else_is_not_outvoted_by_the_name() -> None:
    sent = practitioner(identifier="1666666668", family="Lindqvist", given="Petra")
    assert names(sent) == [Named("dr-c", PractitionerRole.ATTENDING)]


def test_an_unfiled_npi_is_not_outvoted_by_the_name_of_a_provider_with_another() -> None:
    sent = practitioner(identifier="1234567893", family="Lindqvist", given="Petra")
    assert not names(sent)


def test_one_provider_in_two_roles_keeps_both() -> None:
    number = {"identifier": "1888888884", "identifier_type": "NPI"}
    sent = [
        practitioner(PractitionerRole.ATTENDING, **number),
        practitioner(PractitionerRole.ADMITTING, **number),
    ]
    assert names(*sent, sent[0]) == [
        Named("dr-l", PractitionerRole.ATTENDING),
        Named("dr-l", PractitionerRole.ADMITTING),
    ]
