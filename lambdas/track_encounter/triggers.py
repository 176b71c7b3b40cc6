"""The rule table: the effect of every ADT trigger event on the encounter (HL7 2.5.1 section 3.3).

triggers.csv and effects.csv hold it, and docs/encounters.md is written from them. A sender's file may
give a trigger event another effect.
"""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from lambdas.common.contracts.encounters.encounter import Effect, EncounterClass


class TriggerRule(NamedTuple):
    """The rule of one trigger event.

    `default_class` is taken where the message names no class that we know. `note` is for the reader
    of docs/encounters.md.
    """

    trigger_event: str
    meaning: str
    effect: Effect
    default_class: EncounterClass = EncounterClass.UNKNOWN
    note: str = ""


def _rows(name: str) -> Iterator[dict[str, str]]:
    with Path(__file__).with_name(name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


RULES = tuple(
    TriggerRule(
        row["trigger_event"],
        row["meaning"],
        Effect(row["effect"]),
        EncounterClass(row["default_class"]),
        row["note"],
    )
    for row in _rows("triggers.csv")
)

EFFECTS = {Effect(row["effect"]): row["meaning"] for row in _rows("effects.csv")}

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
