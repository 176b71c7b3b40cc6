"""The patient that the identifiers of a message mean, and the faults for which none is chosen."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from lambdas.common.audit import chain
from lambdas.common.aws.items import to_item
from lambdas.common.contracts.message.patient import PatientIdentifier
from lambdas.common.contracts.message.person import Name
from lambdas.common.errors import (
    ConfigurationError,
    IdentityAmbiguousError,
    IdentityConflictError,
    IdentityNotFoundError,
    UnprocessableMessageError,
)
from lambdas.common.feed.counts import key_of
from lambdas.common.feed.shares import Signal
from lambdas.lookup_identities.context import LookupContext
from tests.functional.lambdas.lookup_identities.conftest import Item, RunStep
from tests.functional.lambdas.lookup_identities.world import (
    EVENT_ID,
    OKAFOR,
    actions,
    northgen,
    patient_event,
)
from tests.support import configuration


@pytest.mark.usefixtures("registry")
def test_a_number_without_authority_takes_the_senders_default(run_step: RunStep) -> None:
    bare = replace(
        OKAFOR, patient=replace(OKAFOR.patient, identifiers=(PatientIdentifier("H00412"),))
    )
    assert run_step(bare)["recipient_count"] == 1
    with pytest.raises(ConfigurationError, match=r"^PID-3: the sender may not assert"):
        run_step(replace(bare, sender="aws-blog"))


@pytest.mark.usefixtures("registry")
def test_an_authority_may_be_named_by_its_universal_id_alone(run_step: RunStep) -> None:
    sent = PatientIdentifier("H00412", universal_id="2.16.840.1.113883.3.9999.11")
    event = replace(OKAFOR, patient=replace(OKAFOR.patient, identifiers=(sent,)))
    assert run_step(event)["recipient_count"] == 1


@pytest.mark.usefixtures("registry")
def test_an_unknown_patient_is_audited_as_such(context: LookupContext, run_step: RunStep) -> None:
    with pytest.raises(IdentityNotFoundError, match="knows none of the identifiers"):
        run_step(patient_event(northgen("H99999")))
    assert actions(context) == [("QUERIED", "ok"), ("UNKNOWN_PATIENT", "unknown_patient")]


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize(
    ("identifiers", "sender", "error", "text"),
    [
        ([PatientIdentifier("H00412", "SOUTHGEN")], "northgen", ConfigurationError, "PID-3: "),
        ([northgen("H00412")], "unknown", ConfigurationError, "PID-3: "),
        ([], "northgen", UnprocessableMessageError, "PID-3, PID-2 and PID-4 are empty"),
        (
            [PatientIdentifier("1", "NORTHGEN", identifier_type="AN")],
            *("northgen", UnprocessableMessageError, "PID-3, PID-2 and PID-4 are empty"),
        ),
    ],
    ids=["another hospital's authority", "an unknown sender", "no identifier", "an account number"],
)
def test_a_fault_of_a_feed_never_ends_as_an_unknown_patient(
    run_step: RunStep,
    identifiers: list[PatientIdentifier],
    sender: str,
    error: type[Exception],
    text: str,
) -> None:
    with pytest.raises(error, match=f"^{text}"):
        run_step(patient_event(*identifiers, sender=sender))


@pytest.mark.usefixtures("registry")
def test_the_first_message_with_an_authority_that_cannot_be_used_is_counted_for_the_alarm(
    context: LookupContext, run_step: RunStep, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ConfigurationError):
        run_step(patient_event(PatientIdentifier("H00412", "SOUTHGEN")))
    assert '"AuthorityNotUsable":[1.0]' in capsys.readouterr().out
    query, failure = chain.entries(context, EVENT_ID)
    assert (query["answer"], query["outcome"]) == ("authority_not_allowed", "failed")
    assert (failure["action"], failure["error_name"]) == ("FAILED", "ConfigurationError")


@pytest.mark.usefixtures("registry")
def test_an_identifier_of_another_authority_beside_a_known_one_is_a_warning(
    context: LookupContext, run_step: RunStep
) -> None:
    passport = PatientIdentifier("X-1", "PASSPORTS", identifier_type="PPN")
    run_step(patient_event(northgen("H00412"), passport))
    entry = chain.entries(context, EVENT_ID)[-1]
    (warning,) = entry["warnings"]
    assert (warning["code"], warning["position"]) == ("authority_not_allowed", "PID-3[2]")
    assert entry["outcome_time"].startswith("warned#")


@pytest.mark.usefixtures("registry")
def test_an_identifier_alone_is_enough_for_a_sender_whose_file_says_so_but_not_with_contact_data(
    run_step: RunStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = patient_event(northgen("H00412"), name=Name(), birth_date="", sex="")
    with pytest.raises(IdentityConflictError, match="an identifier alone is not enough"):
        run_step(bare)
    sender = {"name": "northgen", "default_assigning_authority": "NORTHGEN"}
    document = configuration.document({**sender, "identifier_alone": True})
    configuration.deploy(document, monkeypatch)
    assert run_step(bare)["recipient_count"] == 1
    phoned = replace(bare, patient=replace(bare.patient, phones=("902-555-0100",)))
    with pytest.raises(IdentityConflictError, match="an identifier alone is not enough"):
        run_step(phoned)


@pytest.mark.usefixtures("registry")
def test_a_hospital_of_which_no_patient_is_known_any_more_is_counted_for_the_alarm(
    context: LookupContext, run_step: RunStep, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half of its patients were known, and none of its newest 79 was."""
    counts = {"usual_part": 50, "usual_whole": 100, "part": 0, "whole": 79}
    item = {"event_id": key_of("northgen", Signal.KNOWN_PATIENTS), **counts}
    context.client("dynamodb").put_item(TableName="status", Item=to_item(item))
    with pytest.raises(IdentityNotFoundError):
        run_step(patient_event(northgen("H99999")))
    assert '"UnknownPatientsRose":[1.0]' in capsys.readouterr().out


@pytest.mark.usefixtures("registry")
def test_two_identifiers_of_different_patients_conflict(run_step: RunStep) -> None:
    with pytest.raises(IdentityConflictError, match=r"PID-3\[1\] and PID-3\[2\]"):
        run_step(patient_event(northgen("H00412"), northgen("H00533")))


@pytest.mark.usefixtures("registry")
def test_somebody_elses_surname_conflicts(run_step: RunStep) -> None:
    with pytest.raises(IdentityConflictError, match=r"^PID-5\.1 disagrees with the registry$"):
        run_step(patient_event(northgen("H00412"), name=Name("Brown", "Amara")))


@pytest.mark.usefixtures("registry")
def test_a_number_of_two_patients_is_ambiguous(run_step: RunStep) -> None:
    lind = patient_event(northgen("H00850"), name=Name("Lind"), birth_date="1990-04-17")
    with pytest.raises(IdentityAmbiguousError, match=r"^PID-3: "):
        run_step(lind)


def test_a_registry_that_points_to_a_missing_patient_is_a_configuration_error(
    run_step: RunStep, file_item: Callable[[Item], None]
) -> None:
    file_item({"pk": "identifier#NORTHGEN#H00412", "sk": "patient", "patient_id": "gone"})
    with pytest.raises(ConfigurationError):
        run_step(OKAFOR)
