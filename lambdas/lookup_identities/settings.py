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
    """The tables of the registry and of the MPI's cached answers, and the backends in use.

    `patient_backend` answers for patients: `registry`, `pixpdq` or `fhir`. `provider_backend` answers
    for providers: `registry` or `fhir`. `mdm` is the JSON object of ENS_MDM_SETTINGS, whose members
    docs/identity.md lists; `mdm_secret_id` names the secret with its keys and certificates, "" for none.
    """

    registry_table: str
    lookups_table: str
    patient_backend: str = REGISTRY
    provider_backend: str = REGISTRY
    mdm: Mapping[str, Any] = field(default_factory=dict)
    mdm_secret_id: str = ""

    @classmethod
    def from_environment(cls) -> Self:
        """The settings in the environment variables; `ConfigurationError` names one that is wrong.

        ENS_MDM_SETTINGS is required where a backend is not the registry.
        """
        patients = text("ENS_MDM_BACKEND", REGISTRY)
        providers = text("ENS_PROVIDER_BACKEND", REGISTRY)
        outside = {patients, providers} != {REGISTRY}
        return cls(
            **shared(),
            ledger_table=required("ENS_LEDGER_TABLE"),
            registry_table=required("ENS_REGISTRY_TABLE"),
            lookups_table=required("ENS_LOOKUPS_TABLE"),
            patient_backend=patients,
            provider_backend=providers,
            mdm=json_object(required("ENS_MDM_SETTINGS"), "ENS_MDM_SETTINGS") if outside else {},
            mdm_secret_id=text("ENS_MDM_SECRET"),
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
