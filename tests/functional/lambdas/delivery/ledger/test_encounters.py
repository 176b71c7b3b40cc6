"""Withdrawals and updates of the deliveries of an encounter."""

from typing import Any

from lambdas.common.contracts.message.event_kind import EventKind
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

MAX_EXPRESSION_BYTES, MAX_ITEM_BYTES = 4096, 400_000
"""https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html"""


def notified(number: int, kind: EventKind) -> NotifiedEvent:
    return NotifiedEvent(f"{number:032x}", kind, RECEIVED_AT, "")


def stored(context: LedgerContext) -> dict[str, Any]:
    """The stay's item, in DynamoDB's form."""
    answer = context.client("dynamodb").get_item(
        TableName=context.settings.ledger_table, Key={"delivery_id": {"S": STAY.key}}
    )
    item: dict[str, Any] = answer["Item"]
    return item


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


def test_the_item_of_a_stay_with_two_hundred_updates_fits_dynamodb(
    context: LedgerContext, aws: Any
) -> None:
    """TrackEncounter keeps 200 events of a stay (docs/adr/0225-an-encounter-is-folded-from-its-events.md)."""
    about = [f"{number:032x}" for number in range(40)]
    for number in range(40):
        update(context, STAY, notified(number, EventKind.UPDATE), about[: number + 1])
    marks = [value["SS"] for value in stored(context).values() if "SS" in value]
    most = max(sum(map(len, one)) for one in marks)
    assert 200 * most < MAX_ITEM_BYTES


def test_an_update_returns_the_deliveries_that_tell_of_the_stay(
    context: LedgerContext, aws: Any
) -> None:
    enlist(context, STAY, notified(1, EventKind.ADMISSION), "d1")
    sent = written_expressions(context)
    about = [f"{number:032x}" for number in range(1, 50)]
    assert update(context, STAY, notified(200, EventKind.UPDATE), about) == {"d1"}
    assert max(map(len, sent)) <= MAX_EXPRESSION_BYTES
