"""The facts around an event that its letter and its bundle tell."""

from dataclasses import dataclass, field

from lambdas.common.contracts.stay_flags import StayFlag


@dataclass(frozen=True, slots=True)
class Occasion:
    """The time of receipt, the patient's flags, and the registry's name of the facility of PV1-37."""

    received_at: str = ""
    flags: tuple[StayFlag, ...] = ()
    discharged_to: str = field(repr=False, default="")


NO_OCCASION = Occasion()
