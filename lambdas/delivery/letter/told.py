"""All that a letter and its bundle tell of one event."""

from dataclasses import dataclass, field

from lambdas.common.contracts.encounters.stay_flags import StayFlag
from lambdas.common.contracts.findings import ClinicalFindings, FindingsOutcome
from lambdas.common.contracts.message.event import PatientEvent


@dataclass(frozen=True, slots=True)
class Told:
    """An event, the findings in its notes, its time of receipt, and the patient's flags.

    `discharged_to` is the registry's name of the facility of PV1-37.
    """

    event: PatientEvent
    clinical: ClinicalFindings = ClinicalFindings(FindingsOutcome.NOTHING_TO_READ)
    received_at: str = ""
    flags: tuple[StayFlag, ...] = ()
    discharged_to: str = field(repr=False, default="")
