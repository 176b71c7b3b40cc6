"""The FHIR double, and a sandbox of LookupIdentities that asks it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lambdas.common.contracts.message.patient import Patient, PatientIdentifier
from lambdas.common.contracts.message.person import Name
from lambdas.lookup_identities.matching.identifiers import usable_identifiers
from lambdas.registry.records import Match
from tests.functional.lambdas.lookup_identities.conftest import mpi_sandbox
from tests.support.authorities import ASSERTED
from tests.support.fhir_index import FhirIndex, fhir_index

OKAFOR = Patient(name=Name("OKAFOR", "AMARA"), birth_date="1958-02-14", sex="F")
Configure = Callable[..., None]


@pytest.fixture
def server(environment: dict[str, str]) -> Iterator[FhirIndex]:
    """The FHIR double with the local system's patients and providers."""
    with fhir_index() as running:
        yield running
        mpi_sandbox.end()


@pytest.fixture
def configure(server: FhirIndex, monkeypatch: pytest.MonkeyPatch) -> Configure:
    """Starts a sandbox that asks the double; settings can be added."""

    def set_up(**more: Any) -> None:
        mpi_sandbox.end()
        monkeypatch.setenv("ENS_MPI_CLIENT", "fhir")
        monkeypatch.setenv("ENS_PROVIDER_DIRECTORY", "fhir")
        monkeypatch.setenv("ENS_MPI_SETTINGS", json.dumps({**server.settings, **more}))

    set_up()
    return set_up


def find(*identifiers: PatientIdentifier, patient: Patient = OKAFOR) -> Match | None:
    """The match of the configured MPI."""
    usable, _ = usable_identifiers(identifiers, ASSERTED)
    searched = mpi_sandbox.context.mpi_client
    assert searched is not None
    return searched.find(usable, patient)
