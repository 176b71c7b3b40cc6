"""The marks by which a stay is protected: the positions that flag it, and its sensitive categories.

Codes only: no mark names a unit, a service or a diagnosis.
"""

from dataclasses import dataclass
from enum import StrEnum

from lambdas.common.contracts.recipients.consent import Sensitivity


class ProtectionFlag(StrEnum):
    """The position of a message that flags its stay as protected (HL7 2.5.1, chapters 2, 3 and 6; ARV: 2.6).

    MSH-8 security, PD1-11 and PV2-21 publicity code (table 0215), PD1-12 and PV2-22 protection indicator,
    PV1-16 VIP indicator, DG1-18 confidential indicator, ARV access restriction.
    """

    MSH_8 = "MSH-8"
    PD1_11 = "PD1-11"
    PD1_12 = "PD1-12"
    PV1_16 = "PV1-16"
    PV2_21 = "PV2-21"
    PV2_22 = "PV2-22"
    DG1_18 = "DG1-18"
    ARV = "ARV"


class Basis(StrEnum):
    """The fact that makes a stay sensitive: its unit, its service, a diagnosis code, or a code for privacy."""

    UNIT = "unit"
    SERVICE = "service"
    DIAGNOSIS = "diagnosis"
    CODE = "code"


@dataclass(frozen=True, slots=True, kw_only=True)
class SensitiveMark:
    """A sensitive category of a stay, and the fact that it rests on."""

    category: Sensitivity
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class StayMarks:
    """All marks of a stay. They are sticky: a later message adds marks and removes none."""

    flags: tuple[ProtectionFlag, ...] = ()
    sensitive: tuple[SensitiveMark, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.flags or self.sensitive)

    @property
    def protect_the_visit(self) -> bool:
        """Whether the visit itself is protected: by a flag, or by its unit or service. A diagnosis protects itself."""
        bases = {mark.basis for mark in self.sensitive}
        return bool(self.flags) or bool(bases - {Basis.DIAGNOSIS})

    def joined(self, other: "StayMarks") -> "StayMarks":
        """These marks and the other's, each once."""
        return StayMarks(
            flags=tuple(dict.fromkeys((*self.flags, *other.flags))),
            sensitive=tuple(dict.fromkeys((*self.sensitive, *other.sensitive))),
        )
