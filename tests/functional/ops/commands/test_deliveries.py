"""`ens deliveries`: unknown, held, problems, resending and the switch; references only."""

import csv
import io
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from click.testing import Result

from lambdas.common.audit import chain
from lambdas.common.aws.items import to_item
from lambdas.delivery.ledger.context import LedgerContext
from lambdas.delivery.ledger.deliveries import deliveries
from lambdas.delivery.ledger.items import AddressProblemState
from lambdas.delivery.ledger.sending import address_problems, pause
from lambdas.delivery.ledger.sending.pause import SWITCH
from tests.support.deployment import ME

Ens = Callable[..., Result]
EVENT, DELIVERY = "5e" * 16, "d1" * 16


def given(state: str, **more: Any) -> None:
    """A delivery in the ledger."""
    item = {
        "delivery_id": DELIVERY,
        "event_id": EVENT,
        "recipient_ref": "k1.recipient",
        "channel": "email",
        "event_kind": "admission",
        "state": state,
        "task": {"envelope": {"event_id": "e" * 32}},
        "updated_at": "2026-11-23T13:12:00.000Z",
        **more,
    }
    boto3.client("dynamodb").put_item(TableName="ledger", Item=to_item(item))


def test_unknown_deliveries_are_listed_and_sent_again_in_a_persons_name(
    context: LedgerContext, ens: Ens
) -> None:
    given("unknown")
    listed = ens("deliveries", "unknown")
    assert DELIVERY in listed.output
    assert ens("deliveries", "resend", DELIVERY).exit_code == 0
    item = deliveries.read(context, DELIVERY)
    assert item is not None
    assert (item.state, item.hold_reason) == ("held", "resend")
    [entry] = chain.entries(context, EVENT)
    assert (entry["action"], entry["actor"]) == ("RESENT", f"operator:{ME}")
    assert DELIVERY in ens("deliveries", "held").output


def test_an_unknown_delivery_does_not_say_why_it_was_held(ens: Ens) -> None:
    given("unknown", hold_reason="resend")
    assert "to be sent again" not in ens("deliveries", "unknown").output


def test_a_held_delivery_says_what_it_waits_for(ens: Ens) -> None:
    given("held", hold_reason="quota")
    assert "SES's daily quota used up" in " ".join(ens("deliveries", "held").output.split())


def test_what_is_not_unknown_is_not_sent_again(context: LedgerContext, ens: Ens) -> None:
    given("sent")
    result = ens("deliveries", "resend", DELIVERY)
    assert (result.exit_code, "Only unknown deliveries" in result.output) == (1, True)
    assert chain.entries(context, EVENT) == []


WHY = ("--reason", "ticket 4711")


def test_an_address_that_bounced_is_used_again_in_a_persons_name(
    context: LedgerContext, ens: Ens
) -> None:
    bad = AddressProblemState.ENDPOINT_BAD
    for endpoint, whose in (("k1.a", "k1.recipient"), ("k1.b", "k1.other")):
        address_problems.report(context, bad, endpoint, recipient_ref=whose, reason="bounced")
    done = ens("deliveries", "reopen", "k1.recipient", *WHY)
    assert (done.exit_code, "1 address is used again" in done.output) == (0, True)
    assert address_problems.read(context, bad, "k1.a") is None
    assert address_problems.read(context, bad, "k1.b") is not None
    [entry] = chain.entries(context, "registry")
    assert (entry["action"], entry["actor"]) == ("ADDRESS_REOPENED", f"operator:{ME}")
    assert (entry["delivery_id"], entry["act_reason"]) == ("endpoint#k1.a", "ticket 4711")
    again = ens("deliveries", "reopen", "k1.recipient", *WHY)
    assert (again.exit_code, "No address of this recipient" in again.output) == (1, True)


def test_a_held_delivery_is_discarded_with_a_reason_and_audited(
    context: LedgerContext, ens: Ens
) -> None:
    given("held", due_shard="1", due_at="2026-11-23T13:12:00.000Z", patient_ref="k1.patient")
    done = ens("deliveries", "discard", DELIVERY, *WHY)
    assert (done.exit_code, "1 delivery discarded" in done.output) == (0, True)
    item = deliveries.read(context, DELIVERY)
    assert item is not None
    assert (item.state, item.reason, item.due_at) == ("suppressed", "discarded", "")
    [entry] = chain.entries(context, EVENT)
    assert (entry["action"], entry["actor"]) == ("SUPPRESSED", f"operator:{ME}")
    assert (entry["suppressed_because"], entry["act_reason"]) == ("discarded", "ticket 4711")


@pytest.mark.parametrize(
    ("state", "more", "fault"),
    [
        ("sent", {}, "is sent"),
        ("unknown", {}, "is unknown"),
        ("suppressed", {}, "is suppressed"),
        ("held", {"digest_id": "d2" * 16}, "part of a summary"),
    ],
)
def test_only_what_is_held_is_discarded(
    context: LedgerContext, ens: Ens, state: str, more: dict[str, str], fault: str
) -> None:
    given(state, **more)
    done = ens("deliveries", "discard", DELIVERY, *WHY)
    assert done.exit_code == 1
    assert fault in " ".join(done.output.split())
    assert chain.entries(context, EVENT) == []


def test_if_one_delivery_cannot_be_discarded_none_is(context: LedgerContext, ens: Ens) -> None:
    given("held")
    done = ens("deliveries", "discard", DELIVERY, "e0" * 16, *WHY)
    assert done.exit_code == 1
    item = deliveries.read(context, DELIVERY)
    assert item is not None
    assert item.state == "held"
    assert ens("deliveries", "discard", DELIVERY, "--reason", " ").exit_code == 1


def test_a_list_for_a_spreadsheet_is_csv(ens: Ens) -> None:
    given("unknown")
    rows = list(csv.reader(io.StringIO(ens("deliveries", "unknown", "--csv").output)))
    assert rows[1][:2] == [DELIVERY, EVENT]
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)


def test_the_switch_pauses_and_lets_go(context: LedgerContext, ens: Ens) -> None:
    for command, state in (("pause", "paused"), ("continue", "on")):
        assert ens("deliveries", command).exit_code == 0
        switch = pause.read_switch(context)
        assert (switch.state, switch.by) == (state, ME)
        assert ("Paused by moto" in ens("deliveries", "held").output) is (state == "paused")
    entries = chain.entries(context, SWITCH)
    assert [(e["action"], e["actor"]) for e in entries] == [
        ("PAUSED", f"operator:{ME}"),
        ("CONTINUED", f"operator:{ME}"),
    ]
    assert "intact" in ens("audit", "verify", SWITCH).output
    assert "by moto" in ens("trace", SWITCH).output


def test_problems_name_the_recipient_by_reference(context: LedgerContext, ens: Ens) -> None:
    address_problems.report(
        context,
        AddressProblemState.ENDPOINT_BAD,
        "k1.x",
        recipient_ref="k1.recipient",
        reason="bounced",
    )
    output = ens("deliveries", "problems").output
    assert "k1.recipient" in output
    assert "bounced" in output
    assert "1 problem." in output
