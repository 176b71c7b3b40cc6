"""A patient's consent or opt-out, as the registry keeps it.

The categories are those of HL7's sensitivity codes (v3 code system ActCode, value set
InformationSensitivityPolicy): https://terminology.hl7.org/ValueSet-v3-InformationSensitivityPolicy.html
"""

from dataclasses import dataclass
from enum import StrEnum

from lambdas.common.contracts.document import private


class Sensitivity(StrEnum):
    """The category of protected information that a consent or a rule is about; `ALL` is every notification."""

    ALL = "all"
    SUBSTANCE_USE = "substance_use"
    MENTAL_HEALTH = "mental_health"
    HIV = "hiv"
    SEXUAL_HEALTH = "sexual_health"
    PROTECTED_VISIT = "protected_visit"


class Direction(StrEnum):
    """Whether the patient permits the disclosure or forbids it."""

    PERMIT = "permit"
    DENY = "deny"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """One decision of a patient about disclosures: its category, recipients, direction and period.

    `provider_id` is "" for every provider. `valid_from` and `valid_until` are days (YYYY-MM-DD, both
    included), "" without a limit. `evidence` names the form or record that proves it.
    """

    consent_id: str
    direction: Direction
    sensitivity: Sensitivity = Sensitivity.ALL
    provider_id: str = private()
    valid_from: str = ""
    valid_until: str = ""
    evidence: str = private()

    def holds(self, day: str) -> bool:
        """Whether it is in force on a day (YYYY-MM-DD)."""
        return (self.valid_from or day) <= day <= (self.valid_until or day)
