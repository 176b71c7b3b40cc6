"""The MPI that the local system starts."""

import json
from contextlib import ExitStack

import pytest

from lambdas.common.contracts.message.patient import Patient
from lambdas.lookup_identities.context import LookupContext, LookupSettings
from lambdas.lookup_identities.matching.identifiers import UsableIdentifier
from local.run import mpi
from local.stack.registry import FOLDER
from simulators.pix_manager import PixManager


@pytest.mark.parametrize("name", ["", "registry"])
def test_the_registry_needs_no_index(name: str) -> None:
    with ExitStack() as running:
        assert mpi.start(mpi.ChosenMpi(name), FOLDER, running) == {}


@pytest.mark.parametrize(("name", "providers"), [("pixpdq", "registry"), ("fhir", "fhir")])
def test_an_index_is_started_and_the_step_told_where_it_is(name: str, providers: str) -> None:
    with ExitStack() as running:
        told = mpi.start(mpi.ChosenMpi(name), FOLDER, running)
        assert (told["ENS_MPI_CLIENT"], told["ENS_PROVIDER_DIRECTORY"]) == (name, providers)
        assert json.loads(told["ENS_MPI_SETTINGS"])["domain"]


def test_an_unknown_mpi_name_is_an_error_with_the_allowed_names() -> None:
    with (
        ExitStack() as running,
        pytest.raises(mpi.UnknownMpiError, match="allowed: registry, pixpdq, fhir"),
    ):
        mpi.start(mpi.ChosenMpi("telepathy"), FOLDER, running)


def test_the_local_run_asks_a_foreign_mpi_at_its_address(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = PixManager(FOLDER).start()
    chosen = mpi.ChosenMpi(
        "pixpdq", f"127.0.0.1:{foreign.port}", '{"domain": "REGION", "pdq": {"host": "127.0.0.1"}}'
    )
    try:
        with ExitStack() as running:
            told = mpi.start(chosen, FOLDER, running)
        for name, value in told.items():
            monkeypatch.setenv(name, value)
        context = LookupContext(LookupSettings.from_environment())
        assert context.mpi_client is not None
        known = UsableIdentifier("PID-3", "H00412", ("NORTHGEN",))
        found = context.mpi_client.find([known], Patient())
        context.close()
    finally:
        foreign.stop()
    assert found is not None
    assert len(foreign.queries) == 2


@pytest.mark.parametrize(
    ("chosen", "text"),
    [
        (mpi.ChosenMpi("pixpdq", "mpi.example"), "allowed for pixpdq: host:port"),
        (mpi.ChosenMpi("fhir", "mpi.example:443"), "allowed for fhir: an http or https address"),
        (mpi.ChosenMpi("fhir", "", "[]"), "ENS_MPI_SETTINGS is not a JSON object"),
    ],
)
def test_an_address_that_cannot_be_used_is_named(chosen: mpi.ChosenMpi, text: str) -> None:
    with ExitStack() as running, pytest.raises(mpi.UnknownMpiError, match=text):
        mpi.start(chosen, FOLDER, running)
