"""Events of the smoke sender reach the registry's smoke entries, and no real patient or provider."""

from collections.abc import Callable

import pytest

from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.patient import PatientIdentifier
from lambdas.common.contracts.message.person import Name
from lambdas.common.errors import ConfigurationError, UnprocessableMessageError
from lambdas.lookup_identities.context import LookupContext
from ops.smoke.patient import ADDRESS, entries_of
from tests.functional.lambdas.lookup_identities.conftest import Item, RunStep
from tests.functional.lambdas.lookup_identities.world import EVENT_ID, northgen
from tests.functional.lambdas.lookup_identities.world import patient_event as of_somebody
from tests.support.vault import read_json

RUN = "0123456789"
SMOKE = PatientIdentifier(RUN, "ENS-SMOKE", identifier_type="MR")


def patient_event(*identifiers: PatientIdentifier, sender: str) -> PatientEvent:
    """An admission of the smoke patient, as `ens smoke` describes them."""
    described = {"name": Name("Smoke", "Test"), "birth_date": "1970-01-01", "sex": "U"}
    return of_somebody(*identifiers, sender=sender, **described)


@pytest.fixture
def entries(file_item: Callable[[Item], None]) -> None:
    """The registry's entries of one run."""
    for item in entries_of(RUN):
        file_item(item)


def test_the_smoke_patients_provider_is_told_at_the_simulator(
    context: LookupContext, entries: None, run_step: RunStep
) -> None:
    result = run_step(patient_event(SMOKE, sender="smoke"))
    document = read_json(context, EVENT_ID, "identities.json", result["version_id"])
    assert [recipient["address"] for recipient in document["recipients"]] == [ADDRESS]


def test_whichever_index_and_directory_are_in_use_the_registry_answers_for_smoke(
    entries: None, run_step: RunStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing listens there: asking either would fail.
    monkeypatch.setenv("ENS_MPI_CLIENT", "pixpdq")
    monkeypatch.setenv("ENS_PROVIDER_DIRECTORY", "fhir")
    monkeypatch.setenv("ENS_MPI_SETTINGS", "{}")
    assert run_step(patient_event(SMOKE, sender="smoke"))["recipient_count"] == 1


@pytest.mark.parametrize(
    "identifier",
    [
        northgen("H00412"),
        # The registry files patients under universal ids too.
        PatientIdentifier("H00412", "ENS-SMOKE", universal_id="2.16.840.1.113883.3.9999.1"),
    ],
)
def test_a_smoke_message_with_a_hospitals_identifier_is_refused(
    registry: None, run_step: RunStep, identifier: PatientIdentifier
) -> None:
    with pytest.raises(UnprocessableMessageError, match="ENS-SMOKE only"):
        run_step(patient_event(identifier, sender="smoke"))


def test_a_smoke_patient_with_the_address_of_a_person_tells_nobody(
    entries: None, file_item: Callable[[Item], None], run_step: RunStep
) -> None:
    (provider,) = (item for item in entries_of(RUN) if item["sk"] == "provider")
    file_item({**provider, "email": "okoye@clinic.example"})
    with pytest.raises(ConfigurationError, match="simulator"):
        run_step(patient_event(SMOKE, sender="smoke"))
