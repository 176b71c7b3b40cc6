"""The settings and the context of LookupIdentities, with its clients of an MPI and a provider directory.

A client is imported only where it is in use.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from lambdas.common.function.settings import choice, required, setting, text
from lambdas.lookup_identities.mpi.clients import MpiClient, MpiClientName
from lambdas.lookup_identities.mpi.settings import (
    MpiSecret,
    MpiSettings,
    read_secret,
    read_settings,
)
from lambdas.policy.context import PolicyContext
from lambdas.registry.context import REGISTRY, RegistryContext, RegistrySettings

if TYPE_CHECKING:
    from lambdas.lookup_identities.fhir.http import FhirClient
    from lambdas.lookup_identities.fhir.provider_directory import FhirProviderDirectory


def mpi_settings() -> MpiSettings:
    """The settings in ENS_MPI_SETTINGS, which is required where a backend is not the registry."""
    backends = {text("ENS_MPI_CLIENT", REGISTRY), text("ENS_PROVIDER_DIRECTORY", REGISTRY)}
    return MpiSettings() if backends == {REGISTRY} else read_settings(required("ENS_MPI_SETTINGS"))


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupSettings(RegistrySettings):
    """The tables of the registry, of the encounters and of the MPI's cached answers, and the backends in use.

    `mpi_client_name` answers for patients, `provider_directory_name` for providers: `registry` or `fhir`.
    `mpi_secret_id` names the secret with the keys and certificates for both, "" for none.
    """

    provider_directory_name: str = setting(
        lambda: choice("ENS_PROVIDER_DIRECTORY", (REGISTRY, "fhir"), REGISTRY), default=REGISTRY
    )
    encounters_table: str = setting(required, "ENS_ENCOUNTERS_TABLE")
    mpi_cache_table: str = setting(required, "ENS_MPI_CACHE_TABLE")
    mpi_client_name: MpiClientName = setting(
        lambda: MpiClientName(choice("ENS_MPI_CLIENT", tuple(MpiClientName), REGISTRY)),
        default=MpiClientName.REGISTRY,
    )
    mpi: MpiSettings = setting(mpi_settings, default=MpiSettings())
    mpi_secret_id: str = setting(text, "ENS_MPI_SECRET", "")


@dataclass(frozen=True)
class LookupContext(RegistryContext, PolicyContext):
    """The context of every step, with the MPI client and the provider directory."""

    settings: LookupSettings

    @cached_property
    def mpi_secret(self) -> MpiSecret:
        """Keys and certificates for the MPI, from Secrets Manager; empty where no secret is named."""
        return self._present_secret()

    def renew_clients(self) -> None:
        """Closes the clients of a secret that has changed, so that their next use makes others.

        The secret is read again after 15 minutes (`from_secret`), once a client was made with it.
        """
        before = self.__dict__.get("mpi_secret")
        if before and before != self._present_secret():
            self.close()
            for name in ("mpi_secret", "fhir_client", "mpi_client", "provider_directory"):
                self.__dict__.pop(name, None)

    def _present_secret(self) -> MpiSecret:
        secret_id = self.settings.mpi_secret_id
        return self.from_secret(secret_id, read_secret) if secret_id else MpiSecret()

    @cached_property
    def fhir_client(self) -> "FhirClient":
        """The FHIR server of the settings, for patients and providers alike: one connection, one token."""
        from lambdas.lookup_identities.fhir.http import FhirClient

        return FhirClient(self.settings.mpi, self.mpi_secret)

    @cached_property
    def mpi_client(self) -> MpiClient | None:
        """The MPI that is in use; None where the registry itself answers."""
        match self.settings.mpi_client_name:
            case MpiClientName.REGISTRY:
                return None
            case MpiClientName.PIX_PDQ:
                from lambdas.lookup_identities.pix_pdq.mpi_client import pix_pdq_client

                return pix_pdq_client(self)
            case MpiClientName.FHIR:
                from lambdas.lookup_identities.fhir.mpi_client import fhir_mpi_client

                return fhir_mpi_client(self)

    @cached_property
    def seen_authorities(self) -> set[str]:
        """Authorities under which the registry files patients, as far as this sandbox has read them."""
        return set()

    @cached_property
    def provider_directory(self) -> "FhirProviderDirectory | None":
        """The directory that is in use; None where the registry itself answers."""
        if self.settings.provider_directory_name == REGISTRY:
            return None
        from lambdas.lookup_identities.fhir.provider_directory import FhirProviderDirectory

        return FhirProviderDirectory(self.fhir_client)

    def close(self) -> None:
        """Closes the connections that were opened to an MPI."""
        for name in ("fhir_client", "mpi_client"):
            if made := self.__dict__.get(name):
                made.close()
