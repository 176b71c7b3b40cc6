"""The patient as a message describes them (PID)."""

from dataclasses import dataclass

from lambdas.common.contracts.document import private
from lambdas.common.contracts.message.person import Name


@dataclass(frozen=True, slots=True)
class PatientIdentifier:
    """One identifier of a patient: PID-3 repetition (CX), PID-2 / PID-4 of older senders, or MRG-1."""

    value: str = private()
    assigning_authority: str = ""
    universal_id: str = ""
    identifier_type: str = ""
    field: str = "PID-3"


@dataclass(frozen=True, slots=True)
class Patient:
    """The patient as the message describes them (PID).

    `birth_date_unreadable`: PID-7 is given and is no date, so it agrees with none. `died` and `died_at`
    are set on clear evidence only (`PatientEvent.death`).
    """

    identifiers: tuple[PatientIdentifier, ...] = private(())
    name: Name = private(Name())
    birth_date: str = private()
    sex: str = private()
    phones: tuple[str, ...] = private(())
    account_number: str = private()
    died_at: str = private()
    died: bool = private(False)
    birth_date_unreadable: bool = False
