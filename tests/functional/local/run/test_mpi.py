"""The MPI that the local system starts."""

import json
from contextlib import ExitStack

import pytest

from local.run import mpi
from local.stack.registry import FOLDER


@pytest.mark.parametrize("name", ["", "registry"])
def test_the_registry_needs_no_index(name: str) -> None:
    with ExitStack() as running:
        assert mpi.start(name, FOLDER, running) == {}


@pytest.mark.parametrize(("name", "providers"), [("pixpdq", "registry"), ("fhir", "fhir")])
def test_an_index_is_started_and_the_step_told_where_it_is(name: str, providers: str) -> None:
    with ExitStack() as running:
        told = mpi.start(name, FOLDER, running)
        assert (told["ENS_MPI_CLIENT"], told["ENS_PROVIDER_DIRECTORY"]) == (name, providers)
        assert json.loads(told["ENS_MPI_SETTINGS"])["domain"]


def test_an_unknown_mpi_name_is_an_error_with_the_allowed_names() -> None:
    with (
        ExitStack() as running,
        pytest.raises(mpi.UnknownMpiError, match="allowed: registry, pixpdq, fhir"),
    ):
        mpi.start("telepathy", FOLDER, running)
