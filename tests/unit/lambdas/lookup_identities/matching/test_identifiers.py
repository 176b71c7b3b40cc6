import pytest

from hl7.warnings import MessageWarning, WarningCode
from lambdas.common.contracts.message.patient import PatientIdentifier
from lambdas.common.errors import (
    IdentityAmbiguousError,
    IdentityConflictError,
    UnprocessableMessageError,
)
from lambdas.common.senders import SenderAuthorities
from lambdas.lookup_identities.matching.identifiers import (
    UsableIdentifier,
    authority_faults,
    one_patient,
    usable_identifiers,
)
from tests.support.authorities import ASSERTED

NORTHGEN = SenderAuthorities("NORTHGEN")


def identifier(value: str = "H00412", **rest: str) -> PatientIdentifier:
    return PatientIdentifier(value=value, **rest)


def test_an_identifier_is_looked_up_under_its_namespace_and_its_universal_id() -> None:
    sent = identifier(assigning_authority="NORTHGEN", universal_id="2.16.840.1.113883.3.9999.11")
    usable, warnings = usable_identifiers([sent], ASSERTED)
    assert usable[0].pairs() == [
        ("NORTHGEN", "H00412"),
        ("2.16.840.1.113883.3.9999.11", "H00412"),
    ]
    assert not warnings


def test_leading_zeros_are_kept_and_blanks_around_a_number_are_not() -> None:
    usable, _ = usable_identifiers([identifier(" 0012 ", assigning_authority="aa")], ASSERTED)
    assert usable[0].value == "0012"


def test_an_identifier_without_authority_takes_the_senders_default() -> None:
    usable, warnings = usable_identifiers([identifier(identifier_type="MR")], NORTHGEN)
    assert usable[0].authorities == ("NORTHGEN",)
    assert not warnings


def test_without_a_default_it_is_a_warning_that_names_the_position() -> None:
    sent = [identifier(), identifier("2", assigning_authority="aa", field="PID-4")]
    usable, warnings = usable_identifiers(sent, ASSERTED)
    assert [known.position for known in usable] == ["PID-4"]
    assert warnings == [MessageWarning(WarningCode.NO_AUTHORITY, "PID-3")]


def test_the_default_is_not_given_to_a_number_that_somebody_else_issues() -> None:
    usable, warnings = usable_identifiers([identifier(identifier_type="DL")], NORTHGEN)
    assert not usable
    assert len(warnings) == 1


@pytest.mark.parametrize("kind", ["AN", "VN", "vn"])
def test_account_and_visit_numbers_name_no_patient(kind: str) -> None:
    sent = identifier(assigning_authority="NORTHGEN", identifier_type=kind)
    assert usable_identifiers([sent], NORTHGEN) == ([], [])


@pytest.mark.parametrize("value", ["", "  ", '""'])
def test_an_empty_identifier_is_passed_over(value: str) -> None:
    assert usable_identifiers([identifier(value, assigning_authority="aa")], ASSERTED) == ([], [])


def test_an_identifier_too_long_for_a_key_is_a_warning() -> None:
    usable, warnings = usable_identifiers(
        [identifier("9" * 5000, assigning_authority="aa")], ASSERTED
    )
    assert not usable
    assert warnings == [MessageWarning(WarningCode.IDENTIFIER_TOO_LONG, "PID-3")]


def test_positions_count_repetitions_of_one_field() -> None:
    sent = [identifier("1"), identifier("2"), identifier("3", field="PID-4")]
    _, warnings = usable_identifiers(sent, ASSERTED)
    assert [warning.position for warning in warnings] == ["PID-3[1]", "PID-3[2]", "PID-4"]


def test_an_identifier_of_an_authority_that_the_sender_may_not_assert_is_not_looked_up() -> None:
    sent = [identifier("1", assigning_authority="SOUTHGEN"), identifier("2")]
    usable, warnings = usable_identifiers(sent, NORTHGEN)
    assert [(one.value, one.authorities) for one in usable] == [("2", ("NORTHGEN",))]
    assert warnings == [MessageWarning(WarningCode.AUTHORITY_NOT_ALLOWED, "PID-3[1]")]


def test_of_a_namespace_and_a_universal_id_only_the_allowed_one_is_looked_up() -> None:
    sent = identifier(assigning_authority="NORTHGEN", universal_id="1.2.840.99")
    usable, _ = usable_identifiers([sent], NORTHGEN)
    assert usable[0].authorities == ("NORTHGEN",)


def test_a_sender_that_is_not_configured_may_assert_nothing() -> None:
    sent = identifier(assigning_authority="NORTHGEN")
    usable, warnings = usable_identifiers([sent], SenderAuthorities())
    assert authority_faults(usable, warnings) == ("PID-3",)


def test_a_message_without_an_identifier_of_a_patient_is_refused_by_name() -> None:
    account = identifier(assigning_authority="NORTHGEN", identifier_type="AN")
    for sent in ([], [identifier("")], [account]):
        with pytest.raises(UnprocessableMessageError, match=r"^PID-3, PID-2 and PID-4 are empty"):
            authority_faults(*usable_identifiers(sent, NORTHGEN))
    with pytest.raises(UnprocessableMessageError, match=r"^PID-3: longer than 240"):
        authority_faults(*usable_identifiers([identifier("9" * 241)], NORTHGEN))


def usable(position: str, value: str, *authorities: str) -> UsableIdentifier:
    return UsableIdentifier(position, value, authorities or ("A",))


def test_one_known_identifier_is_enough() -> None:
    found = one_patient([usable("PID-3[1]", "1"), usable("PID-3[2]", "2")], {("A", "2"): ("p-1",)})
    assert found == ("p-1", ["PID-3[2]"])


def test_identifiers_that_name_the_same_patient_all_count() -> None:
    candidates = {("A", "1"): ("p-1",), ("A", "2"): ("p-1",)}
    found = one_patient([usable("PID-3", "1"), usable("PID-4", "2")], candidates)
    assert found == ("p-1", ["PID-3", "PID-4"])


def test_nobody_is_an_answer() -> None:
    assert one_patient([usable("PID-3", "1")], {}) == ("", [])
    assert one_patient([], {}) == ("", [])


def test_two_identifiers_of_different_patients_conflict() -> None:
    candidates = {("A", "1"): ("p-1",), ("A", "2"): ("p-2",)}
    with pytest.raises(IdentityConflictError, match=r"^PID-3 and PID-4 name different patients$"):
        one_patient([usable("PID-3", "1"), usable("PID-4", "2")], candidates)


def test_several_patients_for_one_identifier_are_ambiguous() -> None:
    with pytest.raises(IdentityAmbiguousError, match=r"^PID-3: the registry knows several"):
        one_patient([usable("PID-3", "1")], {("A", "1"): ("p-1", "p-2")})


def test_another_identifier_does_not_settle_an_ambiguous_one() -> None:
    candidates = {("A", "1"): ("p-1", "p-2"), ("A", "2"): ("p-1",)}
    with pytest.raises(IdentityAmbiguousError):
        one_patient([usable("PID-3", "1"), usable("PID-4", "2")], candidates)


def test_namespace_and_universal_id_of_different_patients_are_ambiguous() -> None:
    candidates = {("A", "1"): ("p-1",), ("2.16", "1"): ("p-2",)}
    with pytest.raises(IdentityAmbiguousError):
        one_patient([usable("PID-3", "1", "A", "2.16")], candidates)
