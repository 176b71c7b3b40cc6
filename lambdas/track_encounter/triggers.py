"""The rule table: the effect of every ADT trigger event on the encounter (HL7 2.5.1 section 3.3).

docs/encounters.md is written from it. A sender's file may give a trigger event another effect.
"""

from collections.abc import Mapping
from typing import NamedTuple

from lambdas.common.contracts.encounter import Effect, EncounterClass

I, O, U = EncounterClass.INPATIENT, EncounterClass.OUTPATIENT, EncounterClass.UNKNOWN  # noqa: E741


class Rule(NamedTuple):
    """The rule of one trigger event.

    `default_class` is taken where the message names no class that we know. `note` is for the reader
    of docs/encounters.md.
    """

    trigger_event: str
    meaning: str
    effect: Effect
    default_class: EncounterClass = U
    note: str = ""


RULES = (
    Rule("A01", "Admit", Effect.BEGIN, I, "Without a class it is an admission: A01 assigns a bed."),
    Rule("A02", "Transfer", Effect.MOVE, note="Its class counts: emergency to inpatient admits."),
    Rule("A03", "Discharge", Effect.END, note="The encounter's class decides, not the message's."),
    Rule("A04", "Register", Effect.BEGIN, note="Without a class it is told as a registration."),
    Rule("A05", "Pre-admit", Effect.PLAN),
    Rule("A06", "Outpatient to inpatient", Effect.ADMIT, I, "With class O it admits nobody."),
    Rule("A07", "Inpatient to outpatient", Effect.TO_OUTPATIENT, O),
    Rule("A08", "Update", Effect.UPDATE, note="A changed class counts as a change of class."),
    Rule("A09", "Patient departing, tracking", Effect.NONE),
    Rule("A10", "Patient arriving, tracking", Effect.NONE),
    Rule("A11", "Cancel admit or registration", Effect.CANCEL_BEGIN),
    Rule("A12", "Cancel transfer", Effect.CANCEL_MOVE),
    Rule("A13", "Cancel discharge", Effect.CANCEL_END),
    Rule("A14", "Pending admit", Effect.PLAN),
    Rule("A15", "Pending transfer", Effect.PLAN),
    Rule("A16", "Pending discharge", Effect.PLAN),
    Rule("A17", "Swap patients' beds", Effect.NONE),
    Rule("A18", "Merge patient information", Effect.MERGE_PATIENT),
    Rule("A19", "Patient query", Effect.NONE),
    Rule("A20", "Bed status", Effect.NONE),
    Rule("A21", "Leave of absence: out", Effect.NONE, note="The encounter goes on."),
    Rule("A22", "Leave of absence: back", Effect.NONE, note="A return is no admission."),
    Rule("A23", "Delete a visit record", Effect.DELETE),
    Rule("A24", "Link patients", Effect.NONE, note="A link is no merge: both records stay."),
    Rule("A25", "Cancel pending discharge", Effect.CANCEL_PLAN),
    Rule("A26", "Cancel pending transfer", Effect.CANCEL_PLAN),
    Rule("A27", "Cancel pending admit", Effect.CANCEL_PLAN),
    Rule("A28", "Add a person", Effect.NONE),
    Rule("A29", "Delete a person", Effect.NONE),
    Rule("A30", "Merge persons", Effect.MERGE_PATIENT),
    Rule("A31", "Update a person", Effect.NONE),
    Rule("A32", "Cancel patient arriving", Effect.NONE),
    Rule("A33", "Cancel patient departing", Effect.NONE),
    Rule("A34", "Merge patients, identifier alone", Effect.MERGE_PATIENT),
    Rule("A35", "Merge accounts", Effect.CHANGE_NUMBER),
    Rule("A36", "Merge patients and accounts", Effect.MERGE_PATIENT),
    Rule("A37", "Unlink patients", Effect.NONE),
    Rule("A38", "Cancel pre-admit", Effect.CANCEL_PLAN),
    Rule("A39", "Merge persons, identifier alone", Effect.MERGE_PATIENT),
    Rule("A40", "Merge patients, identifier list", Effect.MERGE_PATIENT),
    Rule("A41", "Merge accounts", Effect.CHANGE_NUMBER),
    Rule("A42", "Merge visits", Effect.CHANGE_NUMBER),
    Rule("A43", "Move patient information", Effect.MOVE_TO_PATIENT),
    Rule("A44", "Move an account", Effect.MOVE_TO_PATIENT),
    Rule("A45", "Move a visit", Effect.MOVE_TO_PATIENT),
    Rule("A46", "Change a patient's external number", Effect.MERGE_PATIENT),
    Rule("A47", "Change a patient's identifiers", Effect.MERGE_PATIENT),
    Rule("A48", "Change an alternate patient number", Effect.MERGE_PATIENT),
    Rule("A49", "Change an account number", Effect.CHANGE_NUMBER),
    Rule("A50", "Change a visit number", Effect.CHANGE_NUMBER),
    Rule("A51", "Change an alternate visit number", Effect.CHANGE_NUMBER),
    Rule("A52", "Cancel leave of absence: out", Effect.NONE),
    Rule("A53", "Cancel leave of absence: back", Effect.NONE),
    Rule("A54", "Change the attending doctor", Effect.UPDATE),
    Rule("A55", "Cancel change of attending doctor", Effect.UPDATE),
    Rule("A56", "Patient query by demographics", Effect.NONE),
    Rule("A57", "Patient query by demographics, answer", Effect.NONE),
    Rule("A58", "Patient query by identifier", Effect.NONE),
    Rule("A59", "Patient query by identifier, answer", Effect.NONE),
    Rule("A60", "Update allergies", Effect.NONE),
    Rule("A61", "Change a consulting doctor", Effect.NONE),
    Rule("A62", "Cancel change of a consulting doctor", Effect.NONE),
)

EFFECTS = {
    Effect.BEGIN: "The encounter begins, in the message's class.",
    Effect.ADMIT: "The encounter becomes an inpatient encounter; begins where none is known.",
    Effect.TO_OUTPATIENT: "The encounter becomes an outpatient encounter.",
    Effect.MOVE: "The place changes; the class too where the message names another.",
    Effect.END: "The patient left.",
    Effect.UPDATE: "Details change: class, attending, disposition, destination, diagnosis, death.",
    Effect.PLAN: "Something is planned. Recorded, told to nobody.",
    Effect.CANCEL_BEGIN: "The newest admission or registration never was.",
    Effect.CANCEL_MOVE: "The newest transfer never was; the place before it holds again.",
    Effect.CANCEL_END: "The discharge never was; the patient is still there.",
    Effect.CANCEL_PLAN: "A plan is given up. Recorded, told to nobody.",
    Effect.DELETE: "The whole encounter never was.",
    Effect.MOVE_TO_PATIENT: "The encounter belongs to another patient.",
    Effect.MERGE_PATIENT: "Two identifiers (MRG-1, PID-3) are one patient from now on.",
    Effect.CHANGE_NUMBER: "The encounter gets another number (MRG-3, MRG-5, MRG-6).",
    Effect.NONE: "Nothing.",
}

CANCELS = frozenset(
    {Effect.CANCEL_BEGIN, Effect.CANCEL_MOVE, Effect.CANCEL_END, Effect.CANCEL_PLAN, Effect.DELETE}
)

BEGINS = frozenset({Effect.BEGIN})
"""Effects whose time may be PV1-44; of an A06 that is often the arrival in the emergency department."""

ENDS = frozenset({Effect.END})

_RULES = {rule.trigger_event: rule for rule in RULES}


def rule_of(trigger_event: str, overrides: Mapping[str, Effect] | None = None) -> Rule:
    """The rule of a trigger event, with the sender's effect where its file gives one.

    A trigger event that the table does not have (`other`, "") has no effect.
    """
    rule = _RULES.get(trigger_event, Rule(trigger_event, "", Effect.NONE))
    effect = (overrides or {}).get(trigger_event)
    return rule if effect is None else rule._replace(effect=effect)
