"""Selects the MPI client and the provider directory; each is imported only when it is used.

An MPI client has `find`, whose outcomes `outcomes` lists, a provider directory `validated`. The registry
in DynamoDB serves as both; `resolving` reads the care relationships from it in any case.
"""

import importlib
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from lambdas.common.contracts.patient import Patient
from lambdas.common.errors import ConfigurationError
from lambdas.lookup_identities.matching.identifiers import UsableIdentifier
from lambdas.registry.records import Match, Provider
from lambdas.registry.settings import REGISTRY

PATIENTS = {
    "pixpdq": "lambdas.lookup_identities.pix_pdq.mpi_client",
    "fhir": "lambdas.lookup_identities.fhir.mpi_client",
}
PROVIDERS = {"fhir": "lambdas.lookup_identities.fhir.provider_directory"}


class MpiClient(Protocol):
    """An external MPI that is queried for a patient."""

    def find(self, usable: Sequence[UsableIdentifier], patient: Patient) -> Match | None:
        """The patient whom the identifiers name, None for nobody; else raises (`outcomes`)."""
        ...

    def close(self) -> None:
        """Closes its connection."""
        ...


class ProviderDirectory(Protocol):
    """A directory outside that is asked whether a provider is active and where they are written to."""

    def validated(self, providers: Mapping[str, Provider]) -> dict[str, Provider]:
        """The providers with name, activity and address as the directory has them; absent is not there."""
        ...


def made(name: str, modules: Mapping[str, str], context: object) -> Any:
    """The client that `from_context(context)` of the named module makes; None for the registry.

    Raises `ConfigurationError` for a backend that does not exist.
    """
    if name == REGISTRY:
        return None
    if name not in modules:
        raise ConfigurationError("ENS_MPI_CLIENT or ENS_PROVIDER_DIRECTORY names no backend")
    return importlib.import_module(modules[name]).from_context(context)
