"""Settings and context of the functions that read the registry: LookupIdentities and DeliverNotification."""

from dataclasses import dataclass

from lambdas.common.function.settings import required, setting, text
from lambdas.delivery.ledger.context import LedgerContext, LedgerSettings

REGISTRY = "registry"
"""The backend that is our own registry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySettings(LedgerSettings):
    """The registry's table, and the directory that answers for providers: `registry` or `fhir`."""

    registry_table: str = setting(required, "ENS_REGISTRY_TABLE")
    provider_directory_name: str = setting(text, "ENS_PROVIDER_DIRECTORY", REGISTRY)


@dataclass(frozen=True)
class RegistryContext(LedgerContext):
    """The ledger's context, with the registry's table."""

    settings: RegistrySettings
