"""Settings of LookupIdentities beyond those of the delivery ledger."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from lambdas.common.errors import ConfigurationError
from lambdas.common.settings import required, shared, text
from lambdas.delivery.ledger.settings import LedgerSettings

REGISTRY = "registry"
"""The backend that is our own registry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupSettings(LedgerSettings):
    """The tables of the registry, of the encounters and of the MPI's cached answers, and the backends in use.

    `mpi_client_name` answers for patients: `registry`, `pixpdq` or `fhir`. `provider_directory_name` answers
    for providers: `registry` or `fhir`. `mpi` is the JSON object of ENS_MPI_SETTINGS, whose members
    docs/identity.md lists; `mpi_secret_id` names the secret with its keys and certificates, "" for none.
    """

    registry_table: str
    encounters_table: str
    mpi_cache_table: str
    mpi_client_name: str = REGISTRY
    provider_directory_name: str = REGISTRY
    mpi: Mapping[str, Any] = field(default_factory=dict)
    mpi_secret_id: str = ""

    @classmethod
    def from_environment(cls) -> Self:
        """The settings in the environment variables; `ConfigurationError` names one that is wrong.

        ENS_MPI_SETTINGS is required where a backend is not the registry.
        """
        patients = text("ENS_MPI_CLIENT", REGISTRY)
        providers = text("ENS_PROVIDER_DIRECTORY", REGISTRY)
        outside = {patients, providers} != {REGISTRY}
        return cls(
            **shared(),
            ledger_table=required("ENS_LEDGER_TABLE"),
            registry_table=required("ENS_REGISTRY_TABLE"),
            encounters_table=required("ENS_ENCOUNTERS_TABLE"),
            mpi_cache_table=required("ENS_MPI_CACHE_TABLE"),
            mpi_client_name=patients,
            provider_directory_name=providers,
            mpi=json_object(required("ENS_MPI_SETTINGS"), "ENS_MPI_SETTINGS") if outside else {},
            mpi_secret_id=text("ENS_MPI_SECRET"),
        )


def json_object(content: str, name: str) -> dict[str, Any]:
    """The JSON object in a text. Raises `ConfigurationError` with the name of what is no such object."""
    try:
        document = json.loads(content)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise ConfigurationError(f"{name} is not a JSON object")
    return document
