"""Items get the time at which DynamoDB deletes them."""

import time
from dataclasses import replace
from typing import Any

import boto3
import pytest

from lambdas.common import status
from lambdas.common.audit import chain, verification
from lambdas.common.audit.canonical import HEAD
from lambdas.common.aws.items import from_item
from lambdas.common.function.settings import StoredDays
from lambdas.delivery.ledger import table
from lambdas.delivery.ledger.context import LedgerContext, LedgerSettings
from lambdas.delivery.ledger.items import SwitchState
from lambdas.delivery.ledger.sending import pause
from lambdas.track_encounter.tracking import track
from tests.support.audit import entry
from tests.support.encounter_table import table_of
from tests.support.encounters import NOON, PROFILE, I, message
from tests.support.messages import envelope

DAY = 24 * 3600
EVENT, DELIVERY = "5e" * 16, "d1" * 16


def days_left(name: str, key: dict[str, dict[str, str]]) -> int:
    """The days until an item is deleted; 0 for one without an end."""
    item = from_item(boto3.client("dynamodb").get_item(TableName=name, Key=key)["Item"])
    return round((int(item["expires_at"]) - time.time()) / DAY) if "expires_at" in item else 0


def with_days(context: LedgerContext) -> LedgerContext:
    days = StoredDays(audit=3000, encounters=401, ledger=419, status=61)
    return LedgerContext(replace(context.settings, stored_days=days), context.clients)


def test_a_status_ends_after_its_days(context: LedgerContext) -> None:
    status.open_event(with_days(context), envelope(EVENT), "arn")
    assert days_left("status", {"event_id": {"S": EVENT}}) == 61


def test_a_delivery_and_the_list_of_a_stays_deliveries_end_after_their_days(
    context: LedgerContext,
) -> None:
    for key in (DELIVERY, "encounter#k1.0123"):
        table.update(with_days(context), key, {"state": "held"})
        assert days_left("ledger", {"delivery_id": {"S": key}}) == 419


def test_a_later_change_of_a_delivery_starts_its_days_anew(context: LedgerContext) -> None:
    short = replace(context.settings, stored_days=StoredDays(ledger=1))
    table.update(LedgerContext(short, context.clients), DELIVERY, {"state": "held"})
    table.update(with_days(context), DELIVERY, {"state": "claimed"})
    assert days_left("ledger", {"delivery_id": {"S": DELIVERY}}) == 419


def test_the_switch_and_the_account_have_no_end(context: LedgerContext) -> None:
    """A pause must not end by itself."""
    pause.set_switch(with_days(context), SwitchState.PAUSED, "ana")
    table.update(with_days(context), "account#mail", {"maximum_rate": 14})
    for key in (pause.SWITCH, "account#mail"):
        assert days_left("ledger", {"delivery_id": {"S": key}}) == 0


def test_a_stay_ends_after_its_days(
    context: LedgerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENS_ENCOUNTERS_DAYS", "401")
    client = boto3.client("dynamodb")
    track(table_of(client), message("A01", 0, I, EVENT), PROFILE, lambda: NOON)
    found = [from_item(item) for item in client.scan(TableName="encounters")["Items"]]
    assert len(found) >= 2
    ends = {int(item["expires_at"]) for item in found}
    assert ends == {int(NOON.timestamp()) + 401 * DAY}


def test_audit_entries_and_the_head_of_their_chain_end_after_their_days(
    context: LedgerContext,
) -> None:
    chain.append(with_days(context), EVENT, entry("ParseMessage", "PARSED"))
    for sk in ("00000001", HEAD):
        assert days_left("audit", {"event_id": {"S": EVENT}, "sk": {"S": sk}}) == 3000


def test_the_end_of_an_entry_can_be_put_off_without_breaking_its_chain(
    context: LedgerContext, aws: Any
) -> None:
    """A legal hold keeps records for longer."""
    chain.append(with_days(context), EVENT, entry("ParseMessage", "PARSED"))
    aws.client("dynamodb").update_item(
        TableName="audit",
        Key={"event_id": {"S": EVENT}, "sk": {"S": "00000001"}},
        UpdateExpression="SET expires_at = :later",
        ExpressionAttributeValues={":later": {"N": str(int(time.time()) + 9000 * DAY)}},
    )
    assert verification.verify(context, EVENT).holds


def test_a_function_reads_the_days_from_its_variables(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, days in (("AUDIT", "1"), ("ENCOUNTERS", "2"), ("LEDGER", "3"), ("STATUS", "4")):
        monkeypatch.setenv(f"ENS_{name}_DAYS", days)
    found = LedgerSettings.from_environment().stored_days
    assert found == StoredDays(audit=1, encounters=2, ledger=3, status=4)
