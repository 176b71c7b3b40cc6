"""Reads and writes the deliveries of an encounter, its withdrawn events and its updates.

One item for each encounter. A delivery makes one conditional write to it, and so does a later event for
the delivery's event: one of the two comes first. Either a withdrawal finds the delivery on the list, or the
delivery finds the withdrawal and is suppressed. Either an update finds the delivery on the list and is
told, or the delivery finds the update and its letter has the new details. An event that is redriven or
released late is such a delivery.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import msgspec

from lambdas.common.aws.items import Item
from lambdas.common.clock import iso
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.event_kind import CANCELS, EventKind
from lambdas.delivery.ledger import table
from lambdas.delivery.ledger.context import LedgerContext
from lambdas.delivery.ledger.items import EncounterRecord
from lambdas.delivery.ledger.table import Prefix

MAX_ABOUT = 20
"""Most events that one write names: an expression of DynamoDB has at most 4 kB.

An update names the newest ones. If each update named all events before it, the item of a stay with 120 of
them would be larger than DynamoDB's 400 kB.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html"""

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


@dataclass(frozen=True, slots=True)
class Enlisted:
    """The answer to a delivery that asks for its place on the list.

    `withdrawn_by` is the id of the event that withdrew the delivery's event, "" for none: only then is
    the delivery on the list. `updates` are the events that updated it before, `mails` SES's ids of the
    thread's mails so far, each the oldest first.
    """

    withdrawn_by: str = ""
    updates: tuple[str, ...] = ()
    mails: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Thread:
    """The mails about one stay of a patient to one recipient; without a stay there is none."""

    stay_ref: str = ""
    recipient_ref: str = ""

    @property
    def attribute(self) -> str:
        """The attribute of the encounter's item; the names of attributes are words here."""
        return re.sub(r"\W", "_", f"thread_{self.stay_ref}_{self.recipient_ref}")


def enlist(
    context: LedgerContext,
    encounter: NotifiedEncounter,
    event: NotifiedEvent,
    delivery_id: str,
    *,
    thread: Thread | None = None,
    promised: bool = False,
) -> Enlisted:
    """Puts a delivery on the list, unless its event was withdrawn.

    A cancellation withdraws the events that it names. It also withdraws those of its kind that are earlier
    by our clock or the sender's, so a later admission under the same visit number stands. With `promised`
    a delivery that is on the list already stays there.
    """
    if not encounter.encounter_ref:
        return Enlisted()
    kind = next((kind for kind, what in CANCELS.items() if event.event_kind in what), None)
    by = f"withdrawn_{event.event_id}"
    condition, values = f"attribute_not_exists(#{by})", Item()
    if kind:
        condition += (
            f" AND (attribute_not_exists(#{kind}_by)"
            f" OR (#{kind}_received <= :received AND #{kind}_recorded <= :recorded))"
        )
        values |= {":received": event.received_at, ":recorded": event.recorded_at or EVER}
    if promised:
        condition = f"({condition}) OR contains(#told, :id)"
        values |= {":id": delivery_id}
    listed = table.update(
        context, encounter.key, {}, condition, values, add={"told": {delivery_id}}
    )
    if not listed.applied:
        return Enlisted(withdrawn_by=str(listed.item.get(by) or listed.item[f"{kind}_by"]))
    updates = listed.item.get(f"updates_{event.event_id}", ())
    mails = listed.item.get(thread.attribute, ()) if thread else ()
    return Enlisted(updates=_in_order(updates), mails=_in_order(mails))


def _in_order(marks: Iterable[str]) -> tuple[str, ...]:
    """The ids in marks of the form `<moment>|<id>`, the oldest first."""
    return tuple(mark.rpartition("|")[2] for mark in sorted(marks))


def add_mail(
    context: LedgerContext,
    encounter: NotifiedEncounter,
    thread: Thread,
    sent_at: str,
    ses_message_id: str,
) -> None:
    """Adds a mail that SES took to its thread."""
    if encounter.encounter_ref and thread.stay_ref and ses_message_id:
        mark = f"{sent_at}|{ses_message_id}"
        table.update(context, encounter.key, {}, add={thread.attribute: {mark}})


def cancel(
    context: LedgerContext,
    encounter: NotifiedEncounter,
    cancellation: NotifiedEvent,
    about: Iterable[str] = (),
) -> frozenset[str]:
    """Withdraws the events `about`, and those of the kinds that the cancellation names.

    Returns all deliveries on the list. Of several cancellations of a kind the latest received stands.
    """
    if not encounter.encounter_ref:
        return frozenset()
    kind = cancellation.event_kind
    named = tuple(about)
    for start in range(0, len(named), MAX_ABOUT):
        some = named[start : start + MAX_ABOUT]
        withdrawn = {f"withdrawn_{event_id}": cancellation.event_id for event_id in some}
        table.update(context, encounter.key, withdrawn)
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


def update(
    context: LedgerContext,
    encounter: NotifiedEncounter,
    event: NotifiedEvent,
    about: Iterable[str],
) -> frozenset[str]:
    """Adds an event to the updates of the events `about`; returns all deliveries on the list.

    A delivery that comes on the list from now on has the update's details in its letter.
    """
    if not encounter.encounter_ref:
        return frozenset()
    mark = f"{event.received_at}|{event.event_id}"
    newest = tuple(about)[-MAX_ABOUT:]
    updates = {f"updates_{event_id}": {mark} for event_id in newest}
    updated = table.update(context, encounter.key, {}, add=updates)
    return msgspec.convert(updated.item, EncounterRecord).told


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
