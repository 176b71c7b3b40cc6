"""The configured MPI client answers, and no other is loaded."""

import json
import subprocess
import sys

import pytest

from lambdas.common.errors import ConfigurationError, DependencyUnavailableError
from lambdas.lookup_identities.context import LookupContext, LookupSettings
from lambdas.lookup_identities.fhir.mpi_client import FhirMpiClient
from lambdas.lookup_identities.fhir.provider_directory import FhirProviderDirectory
from lambdas.lookup_identities.mpi.circuit_breaker import FAILURES, OPEN_SECONDS, Breaker
from lambdas.lookup_identities.mpi.settings import read_secret
from lambdas.lookup_identities.pix_pdq.mpi_client import PixPdqMpiClient
from tests.conftest import ROOT

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


MDM = {"host": "mpi.example", "port": 2575, "domain": "REGION", "base_url": "https://mpi.example"}


def context_with(monkeypatch: pytest.MonkeyPatch, **variables: str) -> LookupContext:
    """The context of the step with these environment variables besides the usual ones."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return LookupContext(LookupSettings.from_environment())


@pytest.mark.usefixtures("environment")
def test_each_backend_is_chosen_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    context = context_with(monkeypatch)
    assert (context.mpi_client, context.provider_directory) == (None, None)
    mdm = {"ENS_MPI_SETTINGS": json.dumps(MDM)}
    context = context_with(monkeypatch, ENS_MPI_CLIENT="pixpdq", **mdm)
    assert isinstance(context.mpi_client, PixPdqMpiClient)
    context = context_with(monkeypatch, ENS_MPI_CLIENT="fhir", ENS_PROVIDER_DIRECTORY="fhir", **mdm)
    assert isinstance(context.mpi_client, FhirMpiClient)
    assert isinstance(context.provider_directory, FhirProviderDirectory)
    assert context.mpi_client.server is context.provider_directory.server


@pytest.mark.usefixtures("environment")
def test_a_backend_that_does_not_exist_is_a_configuration_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for variable in ("ENS_MPI_CLIENT", "ENS_PROVIDER_DIRECTORY"):
        with pytest.raises(ConfigurationError, match=f"{variable} is none of registry, "):
            context_with(monkeypatch, **{variable: "telepathy"}, ENS_MPI_SETTINGS="{}")
        monkeypatch.delenv(variable)


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("text", ["{", "[]", '"x"'])
def test_settings_that_are_no_object_are_a_configuration_error(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    with pytest.raises(ConfigurationError, match="ENS_MPI_SETTINGS"):
        context_with(monkeypatch, ENS_MPI_CLIENT="fhir", ENS_MPI_SETTINGS=text)


@pytest.mark.usefixtures("environment")
def test_settings_that_are_not_there_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DependencyUnavailableError, match="ENS_MPI_SETTINGS is not set"):
        context_with(monkeypatch, ENS_MPI_CLIENT="fhir", ENS_MPI_SETTINGS="")


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
    now[0] += OPEN_SECONDS
    fail(breaker)  # half open: one question, and it fails
    with pytest.raises(DependencyUnavailableError, match="not asked"), breaker.guard():
        raise AssertionError
    now[0] += OPEN_SECONDS
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


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({**MDM, "domain": ""}, "lacks domain or domain_oid"),
        ({**MDM, "host": ""}, "lacks host or port"),
        ({**MDM, "port": 0, "pix": {"port": 2575}}, "lacks host or port"),
        ({**MDM, "hots": "x"}, "hots unknown; allowed: domain, "),
        ({**MDM, "pdq": {"hots": "x"}}, "pdq: hots unknown; allowed: host, "),
        ({**MDM, "port": "2575"}, "port is not of its type"),
        ({**MDM, "search": "both"}, "search is not of its type"),
    ],
)
def test_a_wrong_setting_is_a_configuration_error_that_names_it(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, object], fault: str
) -> None:
    with pytest.raises(ConfigurationError, match=fault):
        _ = context_with(
            monkeypatch, ENS_MPI_CLIENT="pixpdq", ENS_MPI_SETTINGS=json.dumps(settings)
        ).mpi_client


def test_a_wrong_secret_is_named_without_its_value() -> None:
    with pytest.raises(ConfigurationError, match=r"pix\.key is not of its type") as raised:
        read_secret(json.dumps({"pix": {"key": 12345}}))
    assert "12345" not in str(raised.value)
