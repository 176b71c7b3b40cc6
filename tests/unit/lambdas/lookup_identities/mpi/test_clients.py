"""Which index answers, and that nothing is loaded for one that does not."""

import subprocess
import sys

import pytest

from lambdas.common.errors import ConfigurationError, DependencyUnavailableError
from lambdas.lookup_identities import settings
from lambdas.lookup_identities.fhir import mpi_client as fhir
from lambdas.lookup_identities.fhir import provider_directory
from lambdas.lookup_identities.mpi import clients
from lambdas.lookup_identities.mpi.circuit_breaker import FAILURES, SECONDS, Breaker
from lambdas.lookup_identities.pix_pdq import mpi_client as pixpdq
from tests.conftest import ROOT, clear_caches

UNUSED = "import sys, lambdas.lookup_identities.handler; print(*sys.modules)"


def test_no_library_is_loaded_for_a_backend_that_is_not_in_use() -> None:
    done = subprocess.run(
        [sys.executable, "-c", UNUSED], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = done.stdout.split()
    assert "lambdas.lookup_identities.handler" in loaded
    strangers = (
        "cryptography",
        "lambdas.lookup_identities.fhir",
        "lambdas.lookup_identities.pix_pdq",
    )
    assert [name for name in loaded if name.startswith(strangers)] == []


@pytest.fixture(autouse=True)
def fresh() -> None:
    clear_caches()


def test_each_backend_is_chosen_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (clients.mpi_client(), clients.provider_directory()) == (None, None)
    for name, module in (("pixpdq", pixpdq), ("fhir", fhir)):
        settings.mpi_client_name.cache_clear()
        monkeypatch.setenv("ENS_MPI_CLIENT", name)
        assert clients.mpi_client() is module
    settings.provider_directory_name.cache_clear()
    monkeypatch.setenv("ENS_PROVIDER_DIRECTORY", "fhir")
    assert clients.provider_directory() is provider_directory
    clear_caches()


def test_a_backend_that_does_not_exist_is_a_configuration_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ENS_MPI_CLIENT", "telepathy")
    with pytest.raises(ConfigurationError, match="names no backend"):
        clients.mpi_client()
    clear_caches()


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"'])
def test_settings_that_are_no_object_are_a_configuration_error(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("ENS_MPI_SETTINGS", text)
    with pytest.raises(ConfigurationError, match="ENS_MPI_SETTINGS"):
        settings.mpi_settings()


def fail(breaker: Breaker) -> None:
    with pytest.raises(DependencyUnavailableError), breaker.guard():
        raise DependencyUnavailableError("down")


def test_a_breaker_opens_after_failures_in_a_row_and_one_question_tries_later() -> None:
    now = [0.0]
    breaker = Breaker("the index", lambda: now[0])
    for _ in range(FAILURES):
        fail(breaker)
    with pytest.raises(DependencyUnavailableError, match="not asked"), breaker.guard():
        raise AssertionError
    now[0] += SECONDS
    fail(breaker)  # half open: one question, and it fails
    with pytest.raises(DependencyUnavailableError, match="not asked"), breaker.guard():
        raise AssertionError
    now[0] += SECONDS
    with breaker.guard():
        pass
    fail(breaker)
    with breaker.guard():
        pass


def test_an_answer_that_somebody_must_decide_on_is_no_failure_of_the_index() -> None:
    breaker = Breaker("the index")
    for _ in range(FAILURES + 1):
        with pytest.raises(ConfigurationError), breaker.guard():
            raise ConfigurationError("not a matter of the line")
