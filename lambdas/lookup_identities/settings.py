"""Settings of LookupIdentities beyond those of the delivery ledger."""

from dataclasses import dataclass, field
from typing import Self

from lambdas.common.function.settings import choice, required, shared, text
from lambdas.lookup_identities.mpi.clients import MpiClientName
from lambdas.lookup_identities.mpi.settings import MpiSettings, read_settings
from lambdas.registry.settings import REGISTRY, RegistrySettings


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupSettings(RegistrySettings):
    """The tables of the registry, of the encounters and of the MPI's cached answers, and the backends in use.

    `mpi_client_name` answers for patients, `provider_directory_name` for providers: `registry` or `fhir`.
    `mpi_secret_id` names the secret with the keys and certificates for both, "" for none.
    """

    encounters_table: str
    mpi_cache_table: str
    mpi_client_name: MpiClientName = MpiClientName.REGISTRY
    mpi: MpiSettings = field(default_factory=MpiSettings)
    mpi_secret_id: str = ""

    @classmethod
    def from_environment(cls) -> Self:
        """The settings in the environment variables; `ConfigurationError` names one that is wrong.

        ENS_MPI_SETTINGS is required where a backend is not the registry.
        """
        patients = MpiClientName(choice("ENS_MPI_CLIENT", tuple(MpiClientName), REGISTRY))
        providers = choice("ENS_PROVIDER_DIRECTORY", (REGISTRY, "fhir"), REGISTRY)
        outside = {patients, providers} != {REGISTRY}
        return cls(
            **shared(),
            ledger_table=required("ENS_LEDGER_TABLE"),
            registry_table=required("ENS_REGISTRY_TABLE"),
            encounters_table=required("ENS_ENCOUNTERS_TABLE"),
            mpi_cache_table=required("ENS_MPI_CACHE_TABLE"),
            mpi_client_name=patients,
            provider_directory_name=providers,
            mpi=read_settings(required("ENS_MPI_SETTINGS")) if outside else MpiSettings(),
            mpi_secret_id=text("ENS_MPI_SECRET"),
        )
