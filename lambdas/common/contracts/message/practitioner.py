"""The practitioners whom a message names."""

from dataclasses import dataclass
from enum import StrEnum

from lambdas.common.contracts.document import private
from lambdas.common.contracts.message.person import Name


class PractitionerRole(StrEnum):
    """PV1-7, PV1-17, PV1-8, PV1-9, and PD1-4 or ROL with `PP`/`FHCP`."""

    ATTENDING = "attending"
    ADMITTING = "admitting"
    REFERRING = "referring"
    CONSULTING = "consulting"
    PRIMARY_CARE = "primary_care"


@dataclass(frozen=True, slots=True)
class Practitioner:
    """A provider named in the message, with the role."""

    role: PractitionerRole
    identifier: str = private()
    identifier_type: str = ""
    assigning_authority: str = ""
    name: Name = private(Name())
    field: str = ""
