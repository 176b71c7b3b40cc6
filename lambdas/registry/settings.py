"""Settings of the functions that read the registry."""

from dataclasses import dataclass
from typing import Self

from lambdas.common.function.settings import required, shared, text
from lambdas.delivery.ledger.settings import LedgerSettings

REGISTRY = "registry"
"""The backend that is our own registry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySettings(LedgerSettings):
    """The registry's table, and the directory that answers for providers: `registry` or `fhir`."""

    registry_table: str
    provider_directory_name: str = REGISTRY

    @classmethod
    def from_environment(cls) -> Self:
        """The settings in the environment variables; `ConfigurationError` names one that is missing."""
        return cls(
            **shared(),
            ledger_table=required("ENS_LEDGER_TABLE"),
            registry_table=required("ENS_REGISTRY_TABLE"),
            provider_directory_name=text("ENS_PROVIDER_DIRECTORY", REGISTRY),
        )
