"""What the registry knows: patients, providers, and who cares for whom."""

from dataclasses import dataclass, field

from lambdas.common.models import ROLES, Name

RELATIONSHIPS = (
    "primary_care",
    "care_team",
    "post_acute",
    "patient_identified",
    "subscriber",
)
"""How a provider may stand to a patient in the registry (42 CFR 482.24(d)(5): the established primary
care practitioner or group, post-acute providers, whom the patient named; and who asked to be told)."""

REASONS = (*RELATIONSHIPS, *(role for role in ROLES if role not in RELATIONSHIPS))
"""Why a recipient is told: a relationship of the registry, or a role in which the message names them."""

NPI_AUTHORITY = "NPI"
"""The authority under which the registry files National Provider Identifiers."""


@dataclass(frozen=True, slots=True)
class PatientRecord:
    """A patient as the registry knows them; `birth_date` is YYYY-MM-DD, "" where unknown."""

    patient_id: str = field(repr=False)
    family: str = field(repr=False, default="")
    given: str = field(repr=False, default="")
    birth_date: str = field(repr=False, default="")
    sex: str = field(repr=False, default="")


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider and the one address to which the registry lets us write; "" where it has none."""

    provider_id: str = field(repr=False)
    name: Name = field(repr=False, default=Name())
    npi: str = field(repr=False, default="")
    address: str = field(repr=False, default="")
    active: bool = True


@dataclass(frozen=True, slots=True)
class Relationship:
    """That a provider cares for the patient, in which ways (`RELATIONSHIPS`), and whether still."""

    provider_id: str = field(repr=False)
    kinds: tuple[str, ...] = ()
    active: bool = True
