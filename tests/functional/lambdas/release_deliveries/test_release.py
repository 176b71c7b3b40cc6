"""Held deliveries: summaries, quiet hours, the rate, the switch; none lost, none twice."""

import json
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError

from lambdas.common.audit import chain
from lambdas.common.aws.items import from_item
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.delivery.context import DeliveryContext
from lambdas.delivery.ledger.deliveries import deliveries, due, transitions
from lambdas.delivery.ledger.encounters import NotifiedEncounter, NotifiedEvent, cancel
from lambdas.delivery.ledger.items import SwitchState
from lambdas.delivery.ledger.sending import pause
from tests.functional.lambdas.deliver_notification.world import (
    RECIPIENT,
    DeliveryWorld,
    sent_mails,
    ses_answers,
)
from tests.functional.lambdas.release_deliveries.world import (
    DIGEST,
    Lambda,
    due_now,
    release,
    states,
    worlds,
)


def test_a_days_notifications_come_in_one_mail_at_the_hour_chosen(context: DeliveryContext) -> None:
    for world in worlds(context, 3):
        assert world.run()["outcome"] == "held"
    assert sent_mails() == []
    assert release(context)["due"] == 0
    due_now()

    assert release(context) == {"due": 3, "sent": 1}
    [mail] = sent_mails()
    assert mail["Subject"].startswith("Summary of 3 patient events")
    plain = mail.get_body(("plain",))
    assert plain is not None
    assert plain.get_content().count("Amaka Okonjo was admitted to hospital.") == 3
    assert states() == {"sent": 4}
    for number in (1, 2, 3):
        actions = [entry["action"] for entry in chain.entries(context, f"{number:032x}")]
        assert actions == ["HELD", "SENT"]
    assert release(context)["due"] == 0
    assert len(sent_mails()) == 1


def test_more_than_a_mail_holds_come_in_several(context: DeliveryContext) -> None:
    for world in worlds(context, 10):
        world.run()
    due_now()
    assert release(context)["sent"] == 2
    assert states() == {"sent": 12}


def test_one_alone_comes_as_a_notification_of_its_own(context: DeliveryContext) -> None:
    [world] = worlds(context, 1)
    world.run()
    due_now()
    assert release(context)["sent"] == 1
    assert sent_mails()[0]["Subject"].startswith("Hospital admission:")


def test_somebody_who_chose_nothing_is_told_at_once(context: DeliveryContext) -> None:
    other = replace(RECIPIENT, recipient_ref="k1.other", address="kofi@clinic.example")
    world = DeliveryWorld(context, (DIGEST, other))
    assert world.run()["outcome"] == "held"
    assert world.run(other)["outcome"] == "sent"


@pytest.mark.parametrize("die", ["before", "after"])
def test_a_release_that_dies_is_taken_up_by_the_next_and_nothing_goes_twice(
    context: DeliveryContext, function: Lambda, die: str
) -> None:
    for world in worlds(context, 3):
        world.run()
    due_now()
    function.die = die
    assert release(context)["failed"] == 1
    function.die = ""
    release(context)
    assert len(sent_mails()) == 1
    assert states() == {"sent": 4}


def test_a_summary_that_was_sent_but_not_settled_settles_its_members(
    context: DeliveryContext, function: Lambda, monkeypatch: pytest.MonkeyPatch
) -> None:
    for world in worlds(context, 2):
        world.run()
    due_now()

    def dies(*arguments: Any) -> bool:
        raise RuntimeError

    with monkeypatch.context() as crash:
        crash.setattr(deliveries, "settle_member", dies)
        assert release(context)["failed"] == 1
    assert states() == {"sent": 1, "held": 2}
    release(context)
    assert states() == {"sent": 3}
    assert len(sent_mails()) == 1


def test_a_release_that_died_with_the_claim_in_hand_goes_on(
    context: DeliveryContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [world] = worlds(context, 1)
    world.run()
    due_now()
    item = from_item(boto3.client("dynamodb").scan(TableName="ledger")["Items"][0])
    with monkeypatch.context() as patch:
        patch.setattr(transitions, "LEASE_MS", -1)
        found = deliveries.read(context, item["delivery_id"])
        assert found is not None
        assert transitions.claim(context, found, "dead", released=True).state == "claimed"
    assert release(context)["due"] == 0  # too fresh to be called dead
    due_now()
    assert release(context)["sent"] == 1
    assert len(sent_mails()) == 1


def test_above_the_rate_deliveries_wait_and_then_go(
    context: DeliveryContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENS_SES_RATE", "2")
    monkeypatch.setattr("lambdas.delivery.ledger.sending.rate.time.time", lambda: 1_000_000.0)
    outcomes = [world.run()["outcome"] for world in worlds(context, 5, RECIPIENT)]
    assert outcomes == ["sent", "sent", "held", "held", "held"]
    assert release(context)["held"] == 3
    monkeypatch.setenv("ENS_SES_RATE", "0")
    assert release(context)["sent"] == 3
    assert len(sent_mails()) == 5


def test_while_paused_nothing_goes_and_afterwards_everything(context: DeliveryContext) -> None:
    pause.set_switch(context, SwitchState.PAUSED, by="tester")
    found = worlds(context, 3, RECIPIENT)
    assert [world.run()["outcome"] for world in found] == ["held"] * 3
    assert release(context) == {"due": 0, "paused": True}
    pause.set_switch(context, SwitchState.ON, by="tester")
    assert release(context)["sent"] == 3
    assert len(sent_mails()) == 3
    assert states() == {"sent": 3}


@pytest.mark.parametrize(("policy", "mails"), [("park", 0), ("resend_once", 1)])
def test_an_unknown_one_goes_again_once_or_never_as_the_environment_says(
    context: DeliveryContext, monkeypatch: pytest.MonkeyPatch, policy: str, mails: int
) -> None:
    monkeypatch.setenv("ENS_ON_UNKNOWN", policy)
    monkeypatch.setattr(transitions, "RESEND_AFTER", -due.RESEND_AFTER)
    world = DeliveryWorld(context)
    with ses_answers(context, ReadTimeoutError(endpoint_url="x")):
        assert world.run()["outcome"] == "unknown"
    for _ in range(3):
        release(context)
    assert len(sent_mails()) == mails


def test_a_second_doubt_is_left_to_a_person(
    context: DeliveryContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENS_ON_UNKNOWN", "resend_once")
    monkeypatch.setattr(transitions, "RESEND_AFTER", -due.RESEND_AFTER)
    world = DeliveryWorld(context)
    silence = ReadTimeoutError(endpoint_url="x")
    with ses_answers(context, silence, silence) as calls:
        world.run()
        for _ in range(3):
            release(context)
    assert len(calls) == 2
    assert world.item["state"] == "unknown"


def withdraw_admission_of(context: DeliveryContext, *events: DeliveryWorld) -> None:
    """The hospital withdraws these events while they are held."""
    for world in events:
        stay = NotifiedEncounter("k1.encounter")
        cancellation = NotifiedEvent(
            "c" * 32, EventKind.CANCEL_ADMISSION, "2026-11-23T20:00:00.000Z", ""
        )
        cancel(context, stay, cancellation)
        assert world.item["state"] == "held"


def test_what_was_withdrawn_while_it_was_held_is_told_to_nobody(context: DeliveryContext) -> None:
    [world] = worlds(context, 1)
    world.run()
    withdraw_admission_of(context, world)
    due_now()
    assert release(context) == {"due": 1, "suppressed": 1}
    assert release(context)["due"] == 0
    assert states() == {"suppressed": 1}
    assert sent_mails() == []


def test_a_summary_leaves_out_what_was_withdrawn(context: DeliveryContext) -> None:
    held = worlds(context, 3)
    held[1].task["parsed"]["encounter_ref"] = "k1.another-stay"
    for world in held:
        world.run()
    withdraw_admission_of(context, held[0])
    due_now()
    assert release(context) == {"due": 3, "sent": 1}
    assert states() == {"suppressed": 2, "sent": 2}
    assert [e["action"] for e in chain.entries(context, f"{1:032x}")] == ["HELD", "SUPPRESSED"]
    assert [e["action"] for e in chain.entries(context, f"{2:032x}")] == ["HELD", "SENT"]
    assert len(sent_mails()) == 1


def test_a_summary_of_which_one_is_left_comes_as_that_notification(
    context: DeliveryContext,
) -> None:
    held = worlds(context, 2)
    held[1].task["parsed"]["encounter_ref"] = "k1.another-stay"
    for world in held:
        world.run()
    withdraw_admission_of(context, held[0])
    due_now()
    assert release(context) == {"due": 2, "sent": 1}
    [mail] = sent_mails()
    assert mail["Subject"] == "Hospital admission: a patient of yours (ref. 00000000)"


def test_a_summary_of_which_all_was_withdrawn_is_not_sent(context: DeliveryContext) -> None:
    held = worlds(context, 2)
    for world in held:
        world.run()
    withdraw_admission_of(context, *held)
    due_now()
    release(context)
    assert release(context)["due"] == 0
    assert states() == {"suppressed": 3}
    assert sent_mails() == []


def gauges(printed: str) -> dict[str, int]:
    """The last run's counts for the alarms."""
    lines = [json.loads(line) for line in printed.splitlines() if "OverdueDeliveries" in line]
    return {
        name: int(lines[-1][name][0])
        for name in (
            "UnknownDeliveries",
            "HeldDeliveries",
            "OverdueDeliveries",
            "OldestOverdueSeconds",
        )
    }


def test_every_minute_the_alarms_hear_what_waits_even_while_paused(
    context: DeliveryContext,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for world in worlds(context, 3):
        world.run()
    with ses_answers(context, ReadTimeoutError(endpoint_url="x")):
        DeliveryWorld(context).run()
    release(context)
    expected = {"UnknownDeliveries": 1, "HeldDeliveries": 3, "OverdueDeliveries": 0}
    assert gauges(capsys.readouterr().out) == {**expected, "OldestOverdueSeconds": 0}
    due_now()
    pause.set_switch(context, SwitchState.PAUSED, by="tester")
    release(context)
    found = gauges(capsys.readouterr().out)
    assert found.pop("OldestOverdueSeconds") > 24 * 3600
    assert found == {**expected, "OverdueDeliveries": 3}
