"""Maps trigger events and patient classes to event kinds. The first rule that fits decides.

The rules follow 42 CFR 482.24(d): emergency registrations, inpatient admissions, transfers to another
facility and discharges. Cancellations (A11, A12, A13) go to the recipients of the cancelled notice only.
Without a rule (updates, merges, visits of outpatients) nobody is notified.
"""

from typing import NamedTuple

from lambdas.common.contracts.event import EventKind

TRIGGER_EVENTS = frozenset(f"A{number:02}" for number in range(1, 63))

CHANGES_IDENTITY = frozenset(
    {"A08", "A18", "A24", "A28", "A29", "A30", "A31", "A34", "A36", "A37", "A39", "A40", "A43"}
    | {"A46", "A47"}
)
"""Trigger events after which an MPI may match a patient differently: update, add, delete, link, unlink,
merge, move and change of identifiers (HL7 2.5.1 chapter 3). Accounts and visits name no patient."""

OUTPATIENT = frozenset({"C", "O", "P", "R"})
"""Commercial account, outpatient, pre-admit, recurring."""

EMERGENCY = frozenset({"E"})
NOT_KNOWN = frozenset({"", "U"})
INPATIENT = frozenset({"I"})
OBSERVATION = frozenset({"OBS", "S", "V"})
"""Observation, and short stay."""


class Rule(NamedTuple):
    """The event kind of a trigger event with one of these classes (None: any). `NONE`: nobody is notified."""

    trigger_event: str
    patient_classes: frozenset[str] | None
    event_kind: EventKind


RULES = (
    Rule("A01", EMERGENCY, EventKind.ED_REGISTRATION),
    Rule("A01", OUTPATIENT, EventKind.NONE),
    # A01 assigns a bed (HL7 3.3.1): without a class, or with an unknown one, it is an admission.
    Rule("A01", None, EventKind.ADMISSION),
    Rule("A04", EMERGENCY, EventKind.ED_REGISTRATION),
    Rule("A04", NOT_KNOWN, EventKind.REGISTRATION),
    # Some sites admit by A04.
    Rule("A04", INPATIENT, EventKind.ADMISSION),
    Rule("A04", OBSERVATION, EventKind.REGISTRATION),
    # A06 makes an inpatient of an outpatient; with an outpatient's class it contradicts itself.
    Rule("A06", OUTPATIENT, EventKind.NONE),
    Rule("A06", None, EventKind.ADMISSION),
    # Only to another facility; a bed move notifies nobody (see `event_kind_of`).
    Rule("A02", None, EventKind.TRANSFER),
    Rule("A03", EMERGENCY, EventKind.ED_DISCHARGE),
    Rule("A03", OUTPATIENT, EventKind.NONE),
    Rule("A03", None, EventKind.DISCHARGE),
    Rule("A11", None, EventKind.CANCEL_ADMISSION),
    Rule("A12", None, EventKind.CANCEL_TRANSFER),
    Rule("A13", None, EventKind.CANCEL_DISCHARGE),
)


def event_kind_of(trigger_event: str, patient_class: str, facility_changed: bool) -> EventKind:
    """Returns the event kind, `EventKind.NONE` when nobody is to be notified."""
    if trigger_event == "A02" and not facility_changed:
        return EventKind.NONE
    for rule in RULES:
        if rule.trigger_event == trigger_event and (
            rule.patient_classes is None or patient_class in rule.patient_classes
        ):
            return rule.event_kind
    return EventKind.NONE


_CONTRADICTED = {"A04": INPATIENT | OBSERVATION, "A06": OUTPATIENT | EMERGENCY, "A07": INPATIENT}


def contradicts(trigger_event: str, patient_class: str) -> bool:
    """Whether the class is not one that the trigger event goes with (HL7 2.5.1, 3.3.4 to 3.3.7)."""
    return patient_class in _CONTRADICTED.get(trigger_event, ())
