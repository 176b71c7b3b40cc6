"""Which deliveries tell of an encounter, and which of its events were cancelled.

One item for each encounter and patient. A delivery and a cancellation each make one conditional write
to it, so one of them comes first: either the cancellation finds the delivery on the list, or the
delivery finds the cancellation and is suppressed. An event that is redriven or released after its
cancellation is such a delivery.
"""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from lambdas.common.aws.items import Item
from lambdas.common.clock import iso
from lambdas.common.contracts.event import CANCELS, EventKind, PatientEvent
from lambdas.delivery.ledger import table
from lambdas.delivery.ledger.context import LedgerContext
from lambdas.delivery.ledger.items import EncounterRecord
from lambdas.delivery.ledger.table import Prefix

EVER = "9999"
"""Later than any moment: of an event that does not say when it was recorded."""


@dataclass(frozen=True, slots=True)
class NotifiedEncounter:
    """One encounter, by its reference; without one (no number of an encounter) nothing is kept."""

    encounter_ref: str

    @property
    def key(self) -> str:
        """The key of its item."""
        return Prefix.ENCOUNTER.key(self.encounter_ref)


@dataclass(frozen=True, slots=True)
class NotifiedEvent:
    """An event's place among the events of its encounter: its kind, and when we and its sender had it.

    `received_at` is the receiver's (ISO 8601, UTC), `recorded_at` EVN-2 in UTC, "" where that has no
    offset or is none.
    """

    event_id: str
    event_kind: EventKind
    received_at: str
    recorded_at: str

    @classmethod
    def of(cls, patient_event: PatientEvent, received_at: str) -> "NotifiedEvent":
        """The order of an event that the receiver took at `received_at`."""
        recorded_at = _in_utc(patient_event.recorded_at)
        return cls(patient_event.event_id, patient_event.event_kind, received_at, recorded_at)


def cancelled_by(
    context: LedgerContext,
    encounter: NotifiedEncounter,
    event: NotifiedEvent,
    delivery_id: str,
    *,
    promised: bool = False,
) -> str:
    """The cancellation's event id when the event was cancelled; else "" and the delivery is on the list.

    A cancellation cancels the events before it, by our clock or the sender's: a later admission
    under the same visit number stands. `promised` lets a delivery that is on the list already go.
    """
    if not encounter.encounter_ref:
        return ""
    kind = next((kind for kind, what in CANCELS.items() if event.event_kind in what), None)
    condition, values = "", Item()
    if kind:
        condition = (
            f"attribute_not_exists(#{kind}_by)"
            f" OR (#{kind}_received <= :received AND #{kind}_recorded <= :recorded)"
        )
        values = {":received": event.received_at, ":recorded": event.recorded_at or EVER}
        if promised:
            condition += " OR contains(#told, :id)"
            values[":id"] = delivery_id
    listed = table.update(
        context, encounter.key, {}, condition, values, add={"told": {delivery_id}}
    )
    return "" if listed.applied else str(listed.item[f"{kind}_by"])


def cancel(
    context: LedgerContext, encounter: NotifiedEncounter, cancellation: NotifiedEvent
) -> frozenset[str]:
    """Cancels the events that the cancellation's kind names; returns all deliveries on the list.

    Of several cancellations the latest received stands.
    """
    if not encounter.encounter_ref:
        return frozenset()
    kind = cancellation.event_kind
    cancelled = table.update(
        context,
        encounter.key,
        {
            f"{kind}_by": cancellation.event_id,
            f"{kind}_received": cancellation.received_at,
            f"{kind}_recorded": cancellation.recorded_at,
        },
        f"attribute_not_exists(#{kind}_by) OR #{kind}_received <= :received",
        {":received": cancellation.received_at},
    )
    return msgspec.convert(cancelled.item, EncounterRecord).told


def told(context: LedgerContext, encounter: NotifiedEncounter) -> frozenset[str]:
    """The deliveries that tell of the encounter."""
    if not encounter.encounter_ref:
        return frozenset()
    return msgspec.convert(table.read_item(context, encounter.key), EncounterRecord).told


def _in_utc(moment: str) -> str:
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError:
        return ""
    return iso(parsed) if parsed.tzinfo else ""
