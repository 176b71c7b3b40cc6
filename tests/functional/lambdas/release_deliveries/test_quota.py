"""SES's daily quota: mails that meet it wait, the oldest goes first, nobody is told twice.

The texts are AWS's: https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from lambdas.common.audit import chain
from lambdas.common.contracts.workflow.tasks import ReleaseOutcome
from lambdas.common.errors import DependencyUnavailableError, UnexpectedError
from lambdas.delivery.context import DeliveryContext
from lambdas.delivery.ledger.items import MailAccount
from lambdas.delivery.ledger.sending import mail_account, rate
from lambdas.release_deliveries import releasing
from lambdas.release_deliveries.delivering import deliver
from local.patches.additions.ses_account import age_mails, set_daily_quota
from tests.functional.lambdas.deliver_notification.world import (
    RECIPIENT,
    DeliveryWorld,
    refusal,
    sent_mails,
    ses_answers,
)
from tests.functional.lambdas.release_deliveries.world import due_now, release, states, worlds

DAILY = "Daily message quota exceeded."
PER_SECOND = "Maximum sending rate exceeded."


@pytest.fixture
def ten_minutes_later(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every run comes after the time for which nothing is tried."""
    monkeypatch.setattr(mail_account, "RETRY_AFTER", -mail_account.RETRY_AFTER)
    yield


def to_several(context: DeliveryContext, count: int) -> list[DeliveryWorld]:
    """So many events, each for a recipient of its own."""
    addressed = []
    for number in range(1, count + 1):
        recipient = replace(
            RECIPIENT, recipient_ref=f"k1.{number}", address=f"p{number}@clinic.example"
        )
        addressed.append(
            DeliveryWorld(context, (recipient,), worlds(context, number)[-1].patient_event)
        )
    return addressed


def told() -> list[str]:
    """The addresses of the mails that SES took, in order."""
    return [str(mail["To"]) for mail in sent_mails()]


@pytest.mark.parametrize(
    "answer",
    [
        refusal("ThrottlingException", message=DAILY),
        refusal("Throttling", message=DAILY),
        refusal("TooManyRequestsException", 429, DAILY),
        refusal("LimitExceededException", message=DAILY),
        refusal("LimitExceededException"),
        refusal("MessageRejected", message=DAILY),
    ],
)
def test_a_mail_that_meets_the_daily_quota_is_held_and_its_event_ends_well(
    context: DeliveryContext,
    answer: ClientError,
) -> None:
    world = DeliveryWorld(context)
    with ses_answers(context, answer) as calls:
        result = world.run()
        assert (result["outcome"], result["hold_reason"]) == ("held", "quota")
        assert world.run()["outcome"] == "held"
    assert len(calls) == 1
    assert world.actions == ["HELD"]
    assert chain.entries(context, world.patient_event.event_id)[0]["hold_reason"] == "quota"


def test_the_rate_of_a_second_is_no_daily_quota(context: DeliveryContext) -> None:
    world = DeliveryWorld(context)
    with (
        ses_answers(context, refusal("TooManyRequestsException", 429, PER_SECOND)),
        pytest.raises(DependencyUnavailableError),
    ):
        world.run()
    assert world.item["state"] == "claimed"


def test_mails_beyond_the_quota_go_out_oldest_first_when_there_is_room(
    context: DeliveryContext,
    ten_minutes_later: None,
) -> None:
    set_daily_quota(2)
    found = to_several(context, 6)
    assert [world.run()["outcome"] for world in found] == ["sent"] * 2 + ["held"] * 4
    assert release(context) == {"due": 4, "quota": 1, "later": 3}
    assert states() == {"sent": 2, "held": 4}

    age_mails(2)  # SES counts the last 24 hours: room comes little by little
    assert release(context) == {"due": 4, "sent": 2, "quota": 1, "later": 1}
    set_daily_quota(-1)
    assert release(context) == {"due": 2, "sent": 2}
    assert told() == [f"p{number}@clinic.example" for number in range(1, 7)]
    for world in found:
        actions = [e["action"] for e in chain.entries(context, world.patient_event.event_id)]
        assert actions.count("SENT") == 1


def test_a_fresh_mail_waits_behind_those_that_wait_for_the_quota(
    context: DeliveryContext, ten_minutes_later: None
) -> None:
    set_daily_quota(1)
    first, second, third = to_several(context, 3)
    first.run()
    second.run()
    set_daily_quota(2)
    assert third.run()["hold_reason"] == "quota"
    set_daily_quota(-1)
    assert release(context) == {"due": 2, "sent": 2}
    assert told() == ["p1@clinic.example", "p2@clinic.example", "p3@clinic.example"]
    assert DeliveryWorld(context).run()["outcome"] == "sent"


def test_nothing_is_tried_for_ten_minutes_after_the_quota_was_met(context: DeliveryContext) -> None:
    set_daily_quota(0)
    DeliveryWorld(context).run()
    set_daily_quota(-1)
    with ses_answers(context) as calls:
        assert release(context) == {"due": 1, "quota_reached": True}
    assert calls == []


def test_a_summary_that_meets_the_quota_goes_out_later_as_one_mail(
    context: DeliveryContext, ten_minutes_later: None
) -> None:
    for world in worlds(context, 3):
        world.run()
    due_now()
    set_daily_quota(0)
    assert release(context) == {"due": 3, "quota": 1}
    set_daily_quota(-1)
    for _ in range(2):
        release(context)
    assert len(sent_mails()) == 1
    assert states() == {"sent": 4}


def used(printed: str) -> list[int]:
    """The percentages of the quota that were counted."""
    lines = [json.loads(line) for line in printed.splitlines() if "MailQuotaUsedPercent" in line]
    return [int(line["MailQuotaUsedPercent"][0]) for line in lines]


@pytest.mark.parametrize(("daily", "percent"), [(4, 50), (2, 100), (-1, 0), (0, 200)])
def test_the_share_of_the_quota_that_is_used_is_counted_every_minute(
    context: DeliveryContext, daily: int, percent: int, capsys: pytest.CaptureFixture[str]
) -> None:
    for world in worlds(context, 2, RECIPIENT):
        world.run()
    set_daily_quota(daily)
    release(context)
    assert used(capsys.readouterr().out) == [percent]


@pytest.mark.parametrize("failure", [refusal("AccessDeniedException", 403), refusal("Throttling")])
def test_a_quota_that_cannot_be_read_stops_no_release(
    context: DeliveryContext,
    failure: ClientError,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def unreadable() -> None:
        raise failure

    monkeypatch.setattr(context.client("sesv2"), "get_account", unreadable)
    set_daily_quota(0)
    DeliveryWorld(context).run()
    set_daily_quota(-1)
    boto3.client("dynamodb").delete_item(
        TableName="ledger", Key={"delivery_id": {"S": mail_account.KEY}}
    )
    assert release(context)["sent"] == 1
    assert used(capsys.readouterr().out) == []


@pytest.mark.parametrize(
    ("setting", "maximum", "expected"), [(14, 1, 1), (14, 50, 14), (14, 0, 14), (0, 5, 0)]
)
def test_the_rate_is_the_setting_or_the_accounts_maximum_if_that_is_lower(
    setting: int, maximum: int, expected: int
) -> None:
    assert MailAccount(maximum_rate=maximum).rate(setting) == expected


def test_the_accounts_maximum_rate_is_kept_by_every_function(
    context: DeliveryContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    release(context)
    assert mail_account.mail_account(context).maximum_rate == 200
    mail_account.set_maximum_rate(context, 1)
    monkeypatch.setenv("ENS_SES_RATE", "14")
    monkeypatch.setattr("lambdas.delivery.ledger.sending.rate.time.time", lambda: 1_000_000.0)
    assert [world.run()["outcome"] for world in to_several(context, 3)] == ["sent", "held", "held"]
    assert not rate.may_send(context, False, mail_account.mail_account(context), 14)


def test_a_delivery_that_cannot_be_read_stops_none_behind_it(
    context: DeliveryContext, ten_minutes_later: None
) -> None:
    """Also where the quota was reached, and the oldest delivery shows whether there is room again."""
    set_daily_quota(1)
    first, *held = to_several(context, 4)
    assert [world.run()["outcome"] for world in (first, *held)] == ["sent"] + ["held"] * 3
    set_daily_quota(-1)
    boto3.client("dynamodb").update_item(
        TableName="ledger",
        Key={"delivery_id": {"S": held[0].delivery_id}},
        UpdateExpression="SET task = :unreadable",
        ExpressionAttributeValues={":unreadable": {"S": "of another version"}},
    )
    with pytest.raises(UnexpectedError):
        release(context)
    assert told() == ["p1@clinic.example", "p3@clinic.example", "p4@clinic.example"]
    assert not mail_account.mail_account(context).quota_reached


def test_a_slow_first_mail_after_the_quota_makes_none_behind_it_faster_than_the_rate(
    context: DeliveryContext, ten_minutes_later: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_daily_quota(1)
    for world in to_several(context, 5):
        world.run()
    set_daily_quota(-1)
    monkeypatch.setenv("ENS_SES_RATE", "10")
    clock, slept, longer = [0.0], list[float](), iter([0.6])

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock[0] += seconds

    def slow_at_first(*arguments: Any) -> ReleaseOutcome:
        clock[0] += next(longer, 0.0)
        return deliver(*arguments)

    monkeypatch.setattr(releasing, "time", SimpleNamespace(monotonic=lambda: clock[0], sleep=sleep))
    monkeypatch.setattr(releasing, "deliver", slow_at_first)
    assert release(context) == {"due": 4, "sent": 4}
    # The second begins when the first has ended, each other one an eighth of a second after the one before.
    assert slept == pytest.approx([0.125, 0.125])
