"""Chooses the reference key of an event: that of the event's own first look-up, or of its stay's.

Deliveries are known by recipient references. An event that is looked up again, or a later event of a stay,
uses the key of the first one, so that nobody is told twice after a rotation of the reference key
(docs/adr/0281-rotation-of-the-reference-key.md).
"""

from collections.abc import Iterator

from lambdas.common.audit import chain
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.keys import KeyRing, key_id_of
from lambdas.lookup_identities.context import LookupContext

MAX_ABOUT = 3
"""Most earlier events of a notice whose entries are read, the newest ones."""


def keys_of(context: LookupContext, event: PatientEvent) -> KeyRing:
    """The ring of reference keys, with the event's key as the current one.

    A ring of one key needs no read of the audit trail.
    """
    ring = context.reference_keys
    if len(ring.keys) == 1:
        return ring
    return ring.under(
        key_id for event_id in _events(event) for key_id in _used_by(context, event_id)
    )


def _events(event: PatientEvent) -> Iterator[str]:
    """The event, the first event of its stay, and the newest that its notices are about."""
    found = [event.event_id]
    if event.decision:
        about = [event_id for notice in event.decision.notices for event_id in notice.about]
        found += [event.decision.encounter_id, *reversed(about[-MAX_ABOUT:])]
    yield from filter(None, dict.fromkeys(found))


def _used_by(context: LookupContext, event_id: str) -> Iterator[str]:
    """The key with which the event's patient was referred to first, if its look-up was audited."""
    entries = chain.entries(context, event_id)
    references = (str(entry.get("patient_ref", "")) for entry in entries)
    yield from (key_id_of(one) for one in references if one)
