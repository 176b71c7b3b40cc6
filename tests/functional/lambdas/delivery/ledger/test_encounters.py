"""Withdrawals and updates of the deliveries of an encounter."""

from typing import Any

from lambdas.common.contracts.event_kind import EventKind
from lambdas.delivery.ledger.context import LedgerContext
from lambdas.delivery.ledger.encounters import (
    NotifiedEncounter,
    NotifiedEvent,
    cancel,
    enlist,
    update,
)

STAY = NotifiedEncounter("stay")
RECEIVED_AT = "2026-11-23T13:15:02.113Z"

MAX_EXPRESSION_BYTES = 4096
"""https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html"""


def notified(number: int, kind: EventKind) -> NotifiedEvent:
    return NotifiedEvent(f"{number:032x}", kind, RECEIVED_AT, "")


def written_expressions(context: LedgerContext) -> list[str]:
    """The update expressions that are sent to DynamoDB from now on; moto accepts them at any length."""
    sent: list[str] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        sent.append(params["UpdateExpression"])

    events = context.client("dynamodb").meta.events
    events.register("provide-client-params.dynamodb.UpdateItem", note)
    return sent


def test_a_stay_of_a_hundred_told_events_can_be_withdrawn(context: LedgerContext, aws: Any) -> None:
    told = [notified(number, EventKind.UPDATE) for number in range(100)]
    sent = written_expressions(context)
    about = [one.event_id for one in told]
    withdrawal = notified(200, EventKind.CANCEL_ADMISSION)
    cancel(context, STAY, withdrawal, about)
    places = {enlist(context, STAY, one, f"d{one.event_id}").withdrawn_by for one in told}
    assert places == {withdrawal.event_id}
    assert max(map(len, sent)) <= MAX_EXPRESSION_BYTES


def test_a_late_delivery_of_the_oldest_of_a_hundred_events_has_the_update(
    context: LedgerContext, aws: Any
) -> None:
    told = [notified(number, EventKind.UPDATE) for number in range(100)]
    sent = written_expressions(context)
    newest = notified(200, EventKind.UPDATE)
    update(context, STAY, newest, [one.event_id for one in told])
    assert enlist(context, STAY, told[0], "d0").updates == (newest.event_id,)
    assert max(map(len, sent)) <= MAX_EXPRESSION_BYTES


def test_an_update_returns_the_deliveries_that_tell_of_the_stay(
    context: LedgerContext, aws: Any
) -> None:
    enlist(context, STAY, notified(1, EventKind.ADMISSION), "d1")
    about = [f"{number:032x}" for number in range(1, 50)]
    assert update(context, STAY, notified(200, EventKind.UPDATE), about) == {"d1"}
