"""The trigger events that change identities, and the patient classes that contradict a trigger event."""

CHANGES_IDENTITY = frozenset(
    {"A08", "A18", "A24", "A28", "A29", "A30", "A31", "A34", "A36", "A37", "A39", "A40", "A43"}
    | {"A46", "A47"}
)
"""Trigger events after which an MPI may match a patient differently: update, add, delete, link, unlink,
merge, move and change of identifiers (HL7 2.5.1 chapter 3). Accounts and visits name no patient."""

_CONTRADICTED = {
    "A04": frozenset({"I", "OBS", "S", "V"}),
    "A06": frozenset({"C", "E", "O", "P", "R"}),
    "A07": frozenset({"I"}),
}


def contradicts(trigger_event: str, patient_class: str) -> bool:
    """Whether the class is not one that the trigger event goes with (HL7 2.5.1, 3.3.4 to 3.3.7)."""
    return patient_class in _CONTRADICTED.get(trigger_event, ())
