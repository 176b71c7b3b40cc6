"""Keeps the smoke test apart from patients: the sender `smoke` reaches smoke entries only.

Its events are looked up in our own registry, whatever MPI and directory the environment uses.
Every identifier must be of the authority ENS-SMOKE, and every address one of SES's mailbox simulator
(SES developer guide, "Using the mailbox simulator"), which no person reads.
"""

from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.recipients.identities import Identities
from lambdas.common.errors import ConfigurationError, UnprocessableMessageError

SENDER = "smoke"
AUTHORITY = "ENS-SMOKE"
SIMULATOR = "simulator.amazonses.com"


def is_smoke(event: PatientEvent) -> bool:
    """Whether the receiver took the message from the smoke sender."""
    return event.sender == SENDER


def check_patient(event: PatientEvent) -> None:
    """Raises `UnprocessableMessageError` when a smoke message names another authority's identifier."""
    identifiers = (*event.patient.identifiers, *event.other_identifiers)
    # An identifier is looked up under its universal id too, so that it must have none.
    if any((one.assigning_authority, one.universal_id) != (AUTHORITY, "") for one in identifiers):
        raise UnprocessableMessageError(
            f"PID-3: the smoke sender may name identifiers of {AUTHORITY} only"
        )


def check_recipients(identities: Identities) -> None:
    """Raises `ConfigurationError` when a smoke event would be told to an address of a person."""
    told = (*identities.recipients, *identities.fallbacks)
    if any(recipient.address.rpartition("@")[2] != SIMULATOR for recipient in told):
        raise ConfigurationError(
            f"the registry: a smoke patient may have recipients at {SIMULATOR} only"
        )
