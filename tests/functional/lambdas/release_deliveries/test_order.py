"""The longest due goes first, however much else waits; and the alarms see it."""

import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError

from lambdas.common.aws.items import to_item
from lambdas.common.clock import iso
from lambdas.delivery.context import DeliveryContext
from lambdas.delivery.ledger.deliveries import deliveries, repair, transitions
from lambdas.delivery.ledger.deliveries.due import due
from lambdas.delivery.ledger.sending import rate
from tests.functional.lambdas.deliver_notification.world import (
    RECIPIENT,
    DeliveryWorld,
    ledger_items,
    sent_mails,
    ses_answers,
)
from tests.functional.lambdas.release_deliveries.test_release import gauges
from tests.functional.lambdas.release_deliveries.world import (
    DIGEST,
    due_now,
    release,
    states,
    worlds,
)

WAITING = 3_000


def ago(**how_long: float) -> str:
    """A moment so long before now."""
    return iso(datetime.now(UTC) - timedelta(**how_long))


def in_the_ledger(items: Iterable[dict[str, Any]]) -> None:
    """Writes items to the ledger as they are."""
    dynamodb, items = boto3.client("dynamodb"), list(items)
    for start in range(0, len(items), 25):
        puts = [{"PutRequest": {"Item": to_item(item)}} for item in items[start : start + 25]]
        dynamodb.batch_write_item(RequestItems={"ledger": puts})


def held(number: int, release_at: str, updated_at: str) -> dict[str, Any]:
    """A notification that waits for a summary, changed last long before any other of a test."""
    key = f"{number:032x}"
    return {
        "delivery_id": key,
        "event_id": key,
        "recipient_ref": f"k1.{number}",
        "channel": "email",
        "state": "held",
        "hold_reason": "digest",
        "release_at": release_at,
        "updated_at": updated_at,
        "task": {"envelope": {"event_id": "e" * 32}},
        **due(key, release_at),
    }


def without_due(item: dict[str, Any]) -> dict[str, Any]:
    """The item as the version before the index `by_due` wrote it."""
    return {name: value for name, value in item.items() if name not in ("due_shard", "due_at")}


def unchanged_since(world: DeliveryWorld, moment: str) -> None:
    """Sets when the delivery was changed last."""
    boto3.client("dynamodb").update_item(
        TableName="ledger",
        Key={"delivery_id": {"S": world.delivery_id}},
        UpdateExpression="SET updated_at = :at",
        ExpressionAttributeValues=to_item({":at": moment}),
    )


def set_time(world: DeliveryWorld, moment: str) -> None:
    """Gives a held delivery another time."""
    boto3.client("dynamodb").update_item(
        TableName="ledger",
        Key={"delivery_id": {"S": world.delivery_id}},
        UpdateExpression="SET release_at = :at, due_at = :at",
        ExpressionAttributeValues=to_item({":at": moment}),
    )


def without_the_index() -> None:
    """Leaves the ledger as the version before the index `by_due` wrote it."""
    for item in ledger_items():
        if "due_shard" in item:
            boto3.client("dynamodb").update_item(
                TableName="ledger",
                Key={"delivery_id": {"S": item["delivery_id"]}},
                UpdateExpression="REMOVE due_shard, due_at",
            )


@pytest.mark.slow
def test_an_overdue_notification_goes_out_and_is_seen_whatever_else_waits(
    context: DeliveryContext,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tomorrow, last_week = ago(hours=-20), ago(days=7)
    in_the_ledger(held(number, tomorrow, last_week) for number in range(1, WAITING + 1))
    world = DeliveryWorld(context, (DIGEST,))
    world.run()
    set_time(world, ago(minutes=20))

    assert release(context) == {"due": 1, "sent": 1}
    assert world.item["state"] == "sent"
    found = gauges(capsys.readouterr().out)
    assert (found["HeldDeliveries"], found["OverdueDeliveries"]) == (WAITING + 1, 1)
    assert 1200 <= found["OldestOverdueSeconds"] < 1500


@pytest.mark.parametrize("summary_first", [True, False])
def test_the_longest_due_goes_first_summaries_and_single_ones_alike(
    context: DeliveryContext, summary_first: bool
) -> None:
    other = replace(DIGEST, recipient_ref="k1.other", address="kofi.adu@clinic.example")
    together, alone = worlds(context, 2), DeliveryWorld(context, (other,))
    for world in (*together, alone):
        world.run()
        first = (world is not alone) is summary_first
        set_time(world, ago(minutes=30 if first else 10))
    release(context)
    expected = [DIGEST.address, other.address]
    assert [mail["To"] for mail in sent_mails()] == (expected if summary_first else expected[::-1])


def test_what_the_rate_holds_back_keeps_its_place(
    context: DeliveryContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its time would else be new with every try, and it would never count as overdue."""
    [world] = worlds(context, 1)
    world.run()
    moment = ago(minutes=30)
    set_time(world, moment)
    with monkeypatch.context() as full:
        full.setattr(rate, "may_send", lambda *_: False)
        assert release(context)["held"] == 1
    assert (world.item["hold_reason"], world.item["due_at"]) == ("rate", moment)
    assert release(context)["sent"] == 1


def test_a_release_sends_no_faster_than_its_share_of_the_rate(
    context: DeliveryContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ENS_SES_RATE", "10")
    for number in range(4):
        DeliveryWorld(context, (replace(DIGEST, recipient_ref=f"k1.{number}"),)).run()
    due_now()
    begun = time.monotonic()
    assert release(context)["sent"] == 4
    assert time.monotonic() - begun >= 3 / (10 * 0.8)


@pytest.mark.parametrize("held_before", ["held", "dead release", "unknown"])
def test_what_an_older_version_left_is_found_and_goes_out(
    context: DeliveryContext, monkeypatch: pytest.MonkeyPatch, held_before: str
) -> None:
    monkeypatch.setenv("ENS_ON_UNKNOWN", "resend_once")
    [world] = worlds(context, 1, RECIPIENT if held_before == "unknown" else DIGEST)
    with ses_answers(context, ReadTimeoutError(endpoint_url="x")):
        world.run()
    due_now()
    if held_before == "dead release":
        found = deliveries.read(context, world.delivery_id)
        assert found is not None
        with monkeypatch.context() as long_ago:
            long_ago.setattr(transitions, "LEASE_MS", -1)
            transitions.claim(context, found, "dead", released=True)
        unchanged_since(world, ago(hours=1))
    if held_before == "unknown":
        unchanged_since(world, ago(hours=1))
    without_the_index()
    release(context)
    assert states() == {"sent": 1}
    assert len(sent_mails()) == 1


def test_an_upgrade_finds_every_held_delivery_within_a_few_runs(
    context: DeliveryContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also those behind many that are on the index already, as a rollback leaves them."""
    monkeypatch.setattr(repair, "CLEAN_PAGES", 1)
    monkeypatch.setattr(repair, "ITEMS_PER_PAGE", 10)
    later, older, newer = ago(hours=-20), ago(days=8), ago(days=7)
    in_the_ledger(held(number, later, older) for number in range(1, 31))
    in_the_ledger(without_due(held(number, later, newer)) for number in range(31, 61))
    for _ in range(4):
        assert any("task" in item and "due_shard" not in item for item in ledger_items())
        release(context)
    assert not [item for item in ledger_items() if "task" in item and "due_shard" not in item]


def test_an_unknown_delivery_that_a_person_decides_leaves_the_index(
    context: DeliveryContext,
) -> None:
    world = DeliveryWorld(context)
    with ses_answers(context, ReadTimeoutError(endpoint_url="x")):
        world.run()
    assert "due_shard" in world.item
    due_now()
    assert release(context)["due"] == 0
    assert "due_shard" not in world.item
    assert world.item["state"] == "unknown"


def test_nothing_that_is_settled_stays_on_the_index(context: DeliveryContext) -> None:
    for world in worlds(context, 3):
        world.run()
    DeliveryWorld(context, (replace(RECIPIENT, recipient_ref="k1.now"),)).run()
    due_now()
    release(context)
    assert states() == {"sent": 5}
    assert [item for item in ledger_items() if "due_shard" in item or "due_at" in item] == []
