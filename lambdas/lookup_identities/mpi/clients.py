"""The interfaces of an external MPI and of a provider directory, and the names of the MPI clients.

The registry in DynamoDB serves as both; `resolving` reads the care relationships from it in any case.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from lambdas.common.contracts.message.patient import Patient
from lambdas.lookup_identities.matching.identifiers import UsableIdentifier
from lambdas.registry.records import Match


class MpiClientName(StrEnum):
    """The values of ENS_MPI_CLIENT: the client that answers for patients."""

    REGISTRY = "registry"
    PIX_PDQ = "pixpdq"
    FHIR = "fhir"


class MpiClient(Protocol):
    """An external MPI that is queried for a patient."""

    def find(self, usable: Sequence[UsableIdentifier], patient: Patient) -> Match | None:
        """The patient whom the identifiers name; None without a match. Raises the errors of `outcomes`."""
        ...

    def close(self) -> None:
        """Closes its connection."""
        ...
