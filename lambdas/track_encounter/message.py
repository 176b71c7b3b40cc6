"""The facts that one message states about its encounter."""

from dataclasses import dataclass, field

from lambdas.common.contracts.encounters.encounter import RecordedEvent
from lambdas.common.contracts.encounters.protection import ProtectionFlag, SensitiveMark
from lambdas.encounters.keys import EncounterKeys


@dataclass(frozen=True, slots=True, kw_only=True)
class EncounterMessage:
    """One message, as the encounter rules read it.

    `keys` are the references of its encounter's numbers, `prior_keys` those of the numbers that it replaces
    (MRG-3, MRG-5, MRG-6). `patient_keys` and `prior_patient_keys` are those of the sender's identifiers of
    the patient (PID-3, MRG-1). `load`: MSH-11.2 says initial load or archive. `warnings` are codes.
    """

    event: RecordedEvent
    sender: str
    received_at: str
    keys: EncounterKeys = field(default=EncounterKeys(), repr=False)
    prior_keys: EncounterKeys = field(default=EncounterKeys(), repr=False)
    patient_keys: tuple[str, ...] = field(default=(), repr=False)
    prior_patient_keys: tuple[str, ...] = field(default=(), repr=False)
    protections: tuple[ProtectionFlag, ...] = ()
    sensitive: tuple[SensitiveMark, ...] = ()
    load: bool = False
    warnings: tuple[str, ...] = ()
