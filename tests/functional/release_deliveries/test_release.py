"""Held deliveries: summaries, quiet hours, the rate, the switch, the fallback; none lost, none twice."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError

from lambdas.common import audit, deliveries, vault
from lambdas.common.items import from_item
from lambdas.common.models import Identities, Name
from lambdas.deliver_notification import ledger as delivery_ledger
from lambdas.deliver_notification.handler import lambda_handler as deliver
from lambdas.record_feedback.handler import lambda_handler as feedback
from lambdas.release_deliveries import delivering, releasing
from lambdas.release_deliveries.handler import lambda_handler
from tests.functional.deliver_notification.world import (
    ADMISSION,
    EVENT_ID,
    RECIPIENT,
    Context,
    World,
    ledger_items,
    sent_mails,
    ses_answers,
)
from tests.support.ses_events import ses_event

DIGEST = replace(RECIPIENT, digest_at="07:00", time_zone="America/Halifax")


class Payload:
    def __init__(self, said: Any) -> None:
        self._said = said

    def read(self) -> str:
        """The answer as Lambda sends it."""
        return json.dumps(self._said)


class Lambda:
    """The function DeliverNotification, called in this process; `die` breaks it on its way."""

    def __init__(self) -> None:
        self.die = ""

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - boto3's names
        """What Lambda's Invoke answers."""
        task = json.loads(Payload)
        try:
            if self.die == "before":
                raise RuntimeError
            said = deliver(task, Context())
            if self.die == "after":
                raise RuntimeError
        except Exception as error:
            return {
                "FunctionError": "Unhandled",
                "Payload": self._payload({"errorType": type(error).__name__}),
            }
        return {"Payload": self._payload(said)}

    @staticmethod
    def _payload(said: Any) -> Payload:
        return Payload(said)


@pytest.fixture(autouse=True)
def function(aws: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lambda]:
    """The function that a release calls, and one call at a time: metrics are a process's own."""
    stand_in = Lambda()
    from lambdas.common.aws import client as real

    monkeypatch.setenv("ENS_DELIVER_FUNCTION", "DeliverNotification")
    monkeypatch.setattr(
        delivering, "client", lambda name, *a: stand_in if name == "lambda" else real(name, *a)
    )
    monkeypatch.setattr(releasing, "AT_ONCE", 1)
    yield stand_in


def release() -> dict[str, Any]:
    """One run of the function."""
    answer: dict[str, Any] = lambda_handler({"source": "aws.events"}, Context())
    return answer


def due_now() -> None:
    """Moves every held delivery's hour to the past."""
    for item in ledger_items():
        if item.get("release_at"):
            boto3.client("dynamodb").update_item(
                TableName="ledger",
                Key={"delivery_id": {"S": item["delivery_id"]}},
                UpdateExpression="SET release_at = :past",
                ExpressionAttributeValues={":past": {"S": "2026-01-01T00:00:00.000Z"}},
            )


def worlds(count: int, recipient: Any = DIGEST) -> list[World]:
    """So many events for one recipient."""
    return [
        World((recipient,), replace(ADMISSION, event_id=f"{number:032x}"))
        for number in range(1, count + 1)
    ]


def states() -> dict[str, int]:
    """How many deliveries are in each state."""
    found: dict[str, int] = {}
    for item in ledger_items():
        if "event_id" in item:
            found[item["state"]] = found.get(item["state"], 0) + 1
    return found


def test_a_days_notifications_come_in_one_mail_at_the_hour_chosen() -> None:
    for world in worlds(3):
        assert world.run()["outcome"] == "held"
    assert sent_mails() == []
    assert release()["due"] == 0
    due_now()

    assert release() == {"due": 3, "sent": 1}
    [mail] = sent_mails()
    assert mail["Subject"].startswith("Summary of 3 patient events")
    plain = mail.get_body(("plain",))
    assert plain is not None
    assert plain.get_content().count("Amaka Okonjo was admitted to hospital.") == 3
    assert states() == {"sent": 4}
    for number in (1, 2, 3):
        actions = [entry["action"] for entry in audit.entries(f"{number:032x}")]
        assert actions == ["HELD", "SENT"]
    assert release()["due"] == 0
    assert len(sent_mails()) == 1


def test_more_than_a_mail_holds_come_in_several() -> None:
    for world in worlds(10):
        world.run()
    due_now()
    assert release()["sent"] == 2
    assert states() == {"sent": 12}


def test_one_alone_comes_as_a_notification_of_its_own() -> None:
    [world] = worlds(1)
    world.run()
    due_now()
    assert release()["sent"] == 1
    assert sent_mails()[0]["Subject"].startswith("Hospital admission:")


def test_somebody_who_chose_nothing_is_told_at_once() -> None:
    other = replace(RECIPIENT, recipient_ref="k1.other", address="kofi@clinic.example")
    world = World((DIGEST, other))
    assert world.run()["outcome"] == "held"
    assert world.run(other)["outcome"] == "sent"


@pytest.mark.parametrize("die", ["before", "after"])
def test_a_release_that_dies_is_taken_up_by_the_next_and_nothing_goes_twice(
    function: Lambda, die: str
) -> None:
    for world in worlds(3):
        world.run()
    due_now()
    function.die = die
    assert release()["failed"] == 1
    function.die = ""
    release()
    assert len(sent_mails()) == 1
    assert states() == {"sent": 4}


def test_a_summary_that_was_sent_but_not_settled_settles_its_members(
    function: Lambda, monkeypatch: pytest.MonkeyPatch
) -> None:
    for world in worlds(2):
        world.run()
    due_now()

    def dies(*arguments: Any) -> bool:
        raise RuntimeError

    with monkeypatch.context() as crash:
        crash.setattr(delivery_ledger, "settle_member", dies)
        assert release()["failed"] == 1
    assert states() == {"sent": 1, "held": 2}
    release()
    assert states() == {"sent": 3}
    assert len(sent_mails()) == 1


def test_a_release_that_died_with_the_claim_in_hand_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [world] = worlds(1)
    world.run()
    due_now()
    item = from_item(boto3.client("dynamodb").scan(TableName="ledger")["Items"][0])
    with monkeypatch.context() as patch:
        patch.setattr(delivery_ledger, "LEASE_MS", -1)
        delivery = delivery_ledger.Delivery(item["event_id"], item["recipient_ref"], "email")
        assert delivery_ledger.claim(delivery, "dead", released=True)["state"] == "claimed"
    assert release()["due"] == 0  # too fresh to be called dead
    monkeypatch.setattr(releasing, "STALE", releasing.STALE * -1)
    assert release()["sent"] == 1
    assert len(sent_mails()) == 1


def test_above_the_rate_deliveries_wait_and_then_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENS_SES_RATE", "2")
    monkeypatch.setattr("lambdas.deliver_notification.rate.time.time", lambda: 1_000_000.0)
    outcomes = [world.run()["outcome"] for world in worlds(5, RECIPIENT)]
    assert outcomes == ["sent", "sent", "held", "held", "held"]
    assert release()["held"] == 3
    monkeypatch.setenv("ENS_SES_RATE", "0")
    assert release()["sent"] == 3
    assert len(sent_mails()) == 5


def test_while_paused_nothing_goes_and_afterwards_everything() -> None:
    deliveries.mark(deliveries.SWITCH, deliveries.PAUSED, by="tester")
    found = worlds(3, RECIPIENT)
    assert [world.run()["outcome"] for world in found] == ["held"] * 3
    assert release() == {"due": 0, "paused": True}
    deliveries.mark(deliveries.SWITCH, "on", by="tester")
    assert release()["sent"] == 3
    assert len(sent_mails()) == 3
    assert states() == {"sent": 3}


@pytest.mark.parametrize(("policy", "mails"), [("park", 0), ("resend_once", 1)])
def test_an_unknown_one_goes_again_once_or_never_as_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, policy: str, mails: int
) -> None:
    monkeypatch.setenv("ENS_ON_UNKNOWN", policy)
    monkeypatch.setattr(releasing, "RESEND_AFTER", -releasing.RESEND_AFTER)
    world = World()
    with ses_answers(ReadTimeoutError(endpoint_url="x")):
        assert world.run()["outcome"] == "unknown"
    for _ in range(3):
        release()
    assert len(sent_mails()) == mails


def test_a_second_doubt_is_left_to_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENS_ON_UNKNOWN", "resend_once")
    monkeypatch.setattr(releasing, "RESEND_AFTER", -releasing.RESEND_AFTER)
    world = World()
    silence = ReadTimeoutError(endpoint_url="x")
    with ses_answers(silence, silence) as calls:
        world.run()
        for _ in range(3):
            release()
    assert len(calls) == 2
    assert world.item["state"] == "unknown"


STAND_IN = replace(
    RECIPIENT,
    recipient_ref="k1.stand-in",
    name=Name(family="Adu", given="Kofi"),
    address="kofi.adu@clinic.example",
    reasons=("fallback",),
)


def world_with_fallback() -> World:
    """A recipient whose directory entry names somebody to be told instead."""
    world = World((replace(RECIPIENT, fallback_ref=STAND_IN.recipient_ref),))
    identities = Identities("k1.patient", recipients=world.recipients, fallbacks=(STAND_IN,))
    written = vault.write_document(EVENT_ID, "identities.json", identities.to_dict())
    world.task["identities"]["version_id"] = written.version_id
    return world


@pytest.mark.parametrize("event_type", ["Bounce", "Complaint"])
def test_a_bounce_or_complaint_gives_the_address_up_and_tells_the_fallback_once(
    event_type: str,
) -> None:
    world = world_with_fallback()
    world.run()
    for _ in range(2):
        feedback(ses_event(event_type, EVENT_ID, world.delivery_id), Context())
        release()
    first, second = sent_mails()
    assert (first["To"], second["To"]) == (RECIPIENT.address, STAND_IN.address)
    plain = second.get_body(("plain",))
    assert plain is not None
    said = " ".join(plain.get_content().split())
    assert "It could not be delivered to Dr Petra Lindqvist" in said
    known = deliveries.read(deliveries.endpoint_key(world.item["endpoint_ref"]))
    assert known is not None
    assert known["state"] == "endpoint_bad"
    assert "clinic.example" not in str(ledger_items())


def test_a_soft_bounce_gives_nothing_up() -> None:
    world = world_with_fallback()
    world.run()
    feedback(ses_event("Bounce", EVENT_ID, world.delivery_id, bounceType="Transient"), Context())
    release()
    assert len(sent_mails()) == 1


def test_the_next_event_goes_to_the_fallback_at_once_and_to_a_new_address_again() -> None:
    world = world_with_fallback()
    world.run()
    feedback(ses_event("Bounce", EVENT_ID, world.delivery_id), Context())
    later = replace(ADMISSION, event_id="9" * 32)
    recipient = replace(RECIPIENT, fallback_ref=STAND_IN.recipient_ref)
    again = World((recipient,), later)
    identities = Identities("k1.patient", recipients=(recipient,), fallbacks=(STAND_IN,))
    written = vault.write_document(later.event_id, "identities.json", identities.to_dict())
    again.task["identities"]["version_id"] = written.version_id
    with pytest.raises(Exception, match="bounced or complained before"):
        again.run()
    release()
    assert [mail["To"] for mail in sent_mails()].count(STAND_IN.address) == 2
    moved = World(
        (replace(recipient, address="new@clinic.example"),), replace(later, event_id="8" * 32)
    )
    assert moved.run()["outcome"] == "sent"


def test_quiet_hours_hold_until_they_end() -> None:
    from lambdas.deliver_notification.holding import hold_for

    night = replace(RECIPIENT, quiet="22:00-07:00", time_zone="America/Halifax")
    late = datetime(2026, 11, 24, 3, 30, tzinfo=UTC)  # 23:30 in Halifax
    assert hold_for(night, late) == ("quiet", "2026-11-24T11:00:00.000Z")
    assert hold_for(night, late.replace(hour=15)) == ("", "")
    assert hold_for(DIGEST, late) == ("digest", "2026-11-24T11:00:00.000Z")
    assert hold_for(DIGEST, late.replace(hour=11)) == ("digest", "2026-11-25T11:00:00.000Z")
    assert hold_for(replace(RECIPIENT, quiet="nonsense", digest_at="25:99"), late) == ("", "")
