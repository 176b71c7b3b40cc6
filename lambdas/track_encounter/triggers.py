"""The rule table: the effect of every ADT trigger event on the encounter (HL7 2.5.1 section 3.3).

docs/encounters.md is written from it. A sender's file may give a trigger event another effect.
"""

from collections.abc import Mapping
from typing import NamedTuple

from lambdas.common.contracts.encounters.encounter import Effect, EncounterClass

I, O, U = EncounterClass.INPATIENT, EncounterClass.OUTPATIENT, EncounterClass.UNKNOWN  # noqa: E741


class TriggerRule(NamedTuple):
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
    TriggerRule(
        "A01", "Admit", Effect.BEGIN, I, "Without a class it is an admission: A01 assigns a bed."
    ),
    TriggerRule(
        "A02",
        "Transfer",
        Effect.MOVE,
        note="A move from an emergency class to an inpatient class is an admission.",
    ),
    TriggerRule(
        "A03", "Discharge", Effect.END, note="The encounter's class decides, not the message's."
    ),
    TriggerRule(
        "A04", "Register", Effect.BEGIN, note="Without a class it is told as a registration."
    ),
    TriggerRule("A05", "Pre-admit", Effect.PLAN),
    TriggerRule(
        "A06", "Outpatient to inpatient", Effect.ADMIT, I, "With class O it admits nobody."
    ),
    TriggerRule("A07", "Inpatient to outpatient", Effect.TO_OUTPATIENT, O),
    TriggerRule(
        "A08", "Update", Effect.UPDATE, note="A changed class counts as a change of class."
    ),
    TriggerRule("A09", "Patient departing, tracking", Effect.NONE),
    TriggerRule("A10", "Patient arriving, tracking", Effect.NONE),
    TriggerRule("A11", "Cancel admit or registration", Effect.CANCEL_BEGIN),
    TriggerRule("A12", "Cancel transfer", Effect.CANCEL_MOVE),
    TriggerRule("A13", "Cancel discharge", Effect.CANCEL_END),
    TriggerRule("A14", "Pending admit", Effect.PLAN),
    TriggerRule("A15", "Pending transfer", Effect.PLAN),
    TriggerRule("A16", "Pending discharge", Effect.PLAN),
    TriggerRule("A17", "Swap patients' beds", Effect.NONE),
    TriggerRule("A18", "Merge patient information", Effect.MERGE_PATIENT),
    TriggerRule("A19", "Patient query", Effect.NONE),
    TriggerRule("A20", "Bed status", Effect.NONE),
    TriggerRule("A21", "Leave of absence: out", Effect.NONE, note="The encounter goes on."),
    TriggerRule("A22", "Leave of absence: back", Effect.NONE, note="A return is no admission."),
    TriggerRule("A23", "Delete a visit record", Effect.DELETE),
    TriggerRule("A24", "Link patients", Effect.NONE, note="A link is no merge: both records stay."),
    TriggerRule("A25", "Cancel pending discharge", Effect.CANCEL_PLAN),
    TriggerRule("A26", "Cancel pending transfer", Effect.CANCEL_PLAN),
    TriggerRule("A27", "Cancel pending admit", Effect.CANCEL_PLAN),
    TriggerRule("A28", "Add a person", Effect.NONE),
    TriggerRule("A29", "Delete a person", Effect.NONE),
    TriggerRule("A30", "Merge persons", Effect.MERGE_PATIENT),
    TriggerRule("A31", "Update a person", Effect.NONE),
    TriggerRule("A32", "Cancel patient arriving", Effect.NONE),
    TriggerRule("A33", "Cancel patient departing", Effect.NONE),
    TriggerRule("A34", "Merge patients, identifier alone", Effect.MERGE_PATIENT),
    TriggerRule("A35", "Merge accounts", Effect.CHANGE_NUMBER),
    TriggerRule("A36", "Merge patients and accounts", Effect.MERGE_PATIENT),
    TriggerRule("A37", "Unlink patients", Effect.NONE),
    TriggerRule("A38", "Cancel pre-admit", Effect.CANCEL_PLAN),
    TriggerRule("A39", "Merge persons, identifier alone", Effect.MERGE_PATIENT),
    TriggerRule("A40", "Merge patients, identifier list", Effect.MERGE_PATIENT),
    TriggerRule("A41", "Merge accounts", Effect.CHANGE_NUMBER),
    TriggerRule("A42", "Merge visits", Effect.CHANGE_NUMBER),
    TriggerRule("A43", "Move patient information", Effect.MOVE_TO_PATIENT),
    TriggerRule("A44", "Move an account", Effect.MOVE_TO_PATIENT),
    TriggerRule("A45", "Move a visit", Effect.MOVE_TO_PATIENT),
    TriggerRule("A46", "Change a patient's external number", Effect.MERGE_PATIENT),
    TriggerRule("A47", "Change a patient's identifiers", Effect.MERGE_PATIENT),
    TriggerRule("A48", "Change an alternate patient number", Effect.MERGE_PATIENT),
    TriggerRule("A49", "Change an account number", Effect.CHANGE_NUMBER),
    TriggerRule("A50", "Change a visit number", Effect.CHANGE_NUMBER),
    TriggerRule("A51", "Change an alternate visit number", Effect.CHANGE_NUMBER),
    TriggerRule("A52", "Cancel leave of absence: out", Effect.NONE),
    TriggerRule("A53", "Cancel leave of absence: back", Effect.NONE),
    TriggerRule("A54", "Change the attending doctor", Effect.UPDATE),
    TriggerRule("A55", "Cancel change of attending doctor", Effect.UPDATE),
    TriggerRule("A56", "Patient query by demographics", Effect.NONE),
    TriggerRule("A57", "Patient query by demographics, answer", Effect.NONE),
    TriggerRule("A58", "Patient query by identifier", Effect.NONE),
    TriggerRule("A59", "Patient query by identifier, answer", Effect.NONE),
    TriggerRule("A60", "Update allergies", Effect.NONE),
    TriggerRule("A61", "Change a consulting doctor", Effect.NONE),
    TriggerRule("A62", "Cancel change of a consulting doctor", Effect.NONE),
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
    Effect.MERGE_PATIENT: (
        "Two identifiers (MRG-1, PID-3) are one patient from now on; an encounter with a prior number"
        " (MRG-3, MRG-5, MRG-6) gets the other one."
    ),
    Effect.CHANGE_NUMBER: "The encounter gets another number (MRG-3, MRG-5, MRG-6).",
    Effect.NONE: "Nothing.",
}

CANCELS = frozenset(
    {Effect.CANCEL_BEGIN, Effect.CANCEL_MOVE, Effect.CANCEL_END, Effect.CANCEL_PLAN, Effect.DELETE}
)

_RULES = {rule.trigger_event: rule for rule in RULES}


def rule_of(trigger_event: str, overrides: Mapping[str, Effect] | None = None) -> TriggerRule:
    """The rule of a trigger event, with the sender's effect where its file gives one.

    A trigger event that the table does not have (`other`, "") has no effect.
    """
    rule = _RULES.get(trigger_event, TriggerRule(trigger_event, "", Effect.NONE))
    effect = (overrides or {}).get(trigger_event)
    return rule if effect is None else rule._replace(effect=effect)
