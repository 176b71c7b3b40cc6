"""A run that dies around the send leaves the ledger enough for each audit entry to be written once, as decided."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from lambdas.common.audit import chain
from lambdas.common.audit.chain import entries
from lambdas.common.contracts.encounters.protection import Basis, SensitiveMark
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.recipients.consent import Sensitivity
from lambdas.common.contracts.recipients.recipient import Addressee, Recipient, RecipientReason
from lambdas.delivery import audit
from lambdas.delivery.context import DeliveryContext
from lambdas.delivery.ledger.deliveries import deliveries, due, transitions
from lambdas.delivery.ledger.items import SwitchState
from lambdas.delivery.ledger.sending import pause, rate
from lambdas.delivery.mail import mailer
from lambdas.record_feedback.handler import lambda_handler as feedback
from tests.functional.lambdas.deliver_notification.world import (
    ADMISSION,
    RECIPIENT,
    DeliveryWorld,
    file_provider,
    sent_mails,
    ses_answers,
)
from tests.functional.lambdas.release_deliveries.test_decided_again import OTHER, file_consent
from tests.functional.lambdas.release_deliveries.world import DIGEST, STAND_IN, due_now, release
from tests.support.interruptions import CallPoint, Death, each_point
from tests.support.lambda_context import LambdaContext
from tests.support.ses_events import ses_event

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")

UNIT = SensitiveMark(category=Sensitivity.SUBSTANCE_USE, basis=Basis.UNIT)
MARKED = replace(ADMISSION, numbers=replace(ADMISSION.numbers, sensitive=(UNIT,)))

AROUND_THE_SEND = (
    (mailer, "store"),
    (transitions, "claim"),
    (rate, "may_send"),
    (transitions, "begin_sending"),
    (mailer, "send"),
    (transitions, "confirm"),
    (audit, "of_delivery"),
    (chain, "append_decided"),
)
DECIDED_BEFORE = {
    ("begin_sending", "after"),
    ("send", "before"),
    ("send", "after"),
    ("confirm", "before"),
    ("confirm", "after"),
    ("of_delivery", "before"),
    ("of_delivery", "after"),
    ("append_decided", "before"),
    ("append_decided", "after"),
}
"""From the mark that a send begins on, the mail of this decision may have gone."""


@pytest.fixture(autouse=True)
def _long_after(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each run comes so long after a death that it is known to be one."""
    monkeypatch.setattr(transitions, "LEASE_MS", -1)
    monkeypatch.setattr(transitions, "TAKE_UP_AFTER", -due.TAKE_UP_AFTER)


def permit(context: DeliveryContext, consent_id: str) -> None:
    """Files the consent on which a notice of a protected stay rests."""
    file_consent(context, consent_id, direction="permit", sensitivity="substance_use")


def other_leaves(context: DeliveryContext) -> None:
    file_provider(context, OTHER.provider_id, address=RECIPIENT.address, active=False)


def other_returns(context: DeliveryContext) -> None:
    file_provider(context, OTHER.provider_id, address=RECIPIENT.address)


def shared(
    context: DeliveryContext, recipient: Recipient, *events: PatientEvent
) -> list[DeliveryWorld]:
    """Events of one mail to two providers who share an address."""
    return [DeliveryWorld(context, (replace(recipient, also=(OTHER,)),), one) for one in events]


def dies(run: Callable[[], Any], point: CallPoint, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as crash:
        point.kills(crash)
        with pytest.raises(Death):
            run()


def said(context: DeliveryContext, event_id: str) -> list[tuple[str, str, str]]:
    """Action, recipient and consent of each entry of the event that tells how a delivery ended."""
    return [
        (entry["action"], entry.get("recipient_ref", ""), entry.get("consent_id", ""))
        for entry in entries(context, event_id)
        if entry["action"] not in ("HELD", "ALREADY_SENT")
    ]


@each_point(*AROUND_THE_SEND)
def test_one_who_is_left_out_of_a_mail_is_audited_once_with_the_rule_of_the_mail(
    context: DeliveryContext, monkeypatch: pytest.MonkeyPatch, point: CallPoint
) -> None:
    [world] = shared(context, RECIPIENT, MARKED)
    other_leaves(context)
    permit(context, "first-form")
    dies(world.run, point, monkeypatch)
    if (point.name, point.moment) in DECIDED_BEFORE:
        # Deciding again would say something else.
        other_returns(context)
        permit(context, "second-form")
    for _ in range(2):
        world.run()
    assert len(sent_mails()) <= 1
    found = said(context, MARKED.event_id)
    ended = found[-1][0]
    assert ended in ("SENT", "UNKNOWN")
    assert found == [
        ("SUPPRESSED", OTHER.recipient_ref, ""),
        (ended, RECIPIENT.recipient_ref, "first-form"),
    ]


@each_point((transitions, "suppress"), (audit, "of_delivery"), (chain, "append_decided"))
def test_a_mail_that_is_suppressed_for_all_names_each_of_them_once(
    context: DeliveryContext, monkeypatch: pytest.MonkeyPatch, point: CallPoint
) -> None:
    [world] = shared(context, RECIPIENT, MARKED)
    other_leaves(context)
    file_consent(context, "denial", direction="deny", sensitivity="all")
    dies(world.run, point, monkeypatch)
    if (point.name, point.moment) != ("suppress", "before"):
        other_returns(context)
        permit(context, "second-form")
    for _ in range(2):
        assert world.run()["outcome"] == "suppressed"
    assert sent_mails() == []
    assert said(context, MARKED.event_id) == [
        ("SUPPRESSED", OTHER.recipient_ref, ""),
        ("SUPPRESSED", RECIPIENT.recipient_ref, "denial"),
    ]


@each_point(*AROUND_THE_SEND, (deliveries, "note_also"), (deliveries, "settle_member"))
def test_the_events_of_a_summary_name_its_rule_and_those_left_out_once(
    context: DeliveryContext, monkeypatch: pytest.MonkeyPatch, point: CallPoint
) -> None:
    events = [replace(MARKED, event_id=f"{number:032x}") for number in (1, 2)]
    for world in shared(context, DIGEST, *events):
        assert world.run()["outcome"] == "held"
    other_leaves(context)
    permit(context, "first-form")
    due_now()
    dies(lambda: release(context), point, monkeypatch)
    if (point.name, point.moment) in DECIDED_BEFORE - {
        ("append_decided", "before"),
        ("append_decided", "after"),
    }:
        permit(context, "second-form")
    for _ in range(3):
        due_now()
        release(context)
    assert len(sent_mails()) <= 1
    for event in events:
        suppressed, ended = said(context, event.event_id)
        assert suppressed == ("SUPPRESSED", OTHER.recipient_ref, "")
        assert ended[0] in ("SENT", "UNKNOWN")
        assert ended[1:] == (DIGEST.recipient_ref, "first-form")


@each_point((mailer, "send"))
def test_a_summary_that_may_have_gone_is_not_called_suppressed_when_the_patient_opts_out(
    context: DeliveryContext, monkeypatch: pytest.MonkeyPatch, point: CallPoint
) -> None:
    events = [replace(ADMISSION, event_id=f"{number:032x}") for number in (1, 2)]
    for event in events:
        assert DeliveryWorld(context, (DIGEST,), event).run()["outcome"] == "held"
    due_now()
    dies(lambda: release(context), point, monkeypatch)
    file_consent(context, "denial", direction="deny", sensitivity="all")
    for _ in range(2):
        due_now()
        release(context)
    for event in events:
        assert [one[0] for one in said(context, event.event_id)] == ["UNKNOWN"]


THIRD = Addressee("k1.third", (RecipientReason.CARE_TEAM,), "k1.third", STAND_IN.name)


def to_three(context: DeliveryContext) -> DeliveryWorld:
    """A mail that waits; of its three addressees one has left."""
    pause.set_switch(context, SwitchState.PAUSED, "operator")
    world = DeliveryWorld(context, (replace(RECIPIENT, also=(OTHER, THIRD)),), MARKED)
    assert world.run()["outcome"] == "held"
    pause.set_switch(context, SwitchState.ON, "operator")
    other_leaves(context)
    permit(context, "first-form")
    due_now()
    return world


def ses_says(context: DeliveryContext, world: DeliveryWorld, *kinds: str) -> None:
    for kind in kinds:
        said_by_ses = ses_event(kind, MARKED.event_id, world.delivery_id)
        feedback.with_context(context)(said_by_ses, LambdaContext("RecordFeedback"))


@pytest.mark.parametrize("kinds", [("Delivery",), ("Send", "Delivery"), ("Delivery", "Delivery")])
@each_point((mailer, "send"), (transitions, "confirm"), (chain, "append_decided"))
def test_feedback_about_a_mail_whose_run_died_writes_the_entries_of_all_its_addressees_once(
    context: DeliveryContext,
    monkeypatch: pytest.MonkeyPatch,
    point: CallPoint,
    kinds: tuple[str, ...],
) -> None:
    """ReleaseDeliveries makes a delivery again after minutes; SES says earlier that the mail went."""
    world = to_three(context)
    dies(lambda: release(context), point, monkeypatch)
    if (point.name, point.moment) == ("send", "before"):
        assert sent_mails() == []
        return  # SES has nothing to report
    ses_says(context, world, *kinds)
    for _ in range(2):
        due_now()
        release(context)
    found = said(context, MARKED.event_id)
    assert sorted(one for one in found if one[0] != "DELIVERED") == [
        ("SENT", RECIPIENT.recipient_ref, "first-form"),
        ("SUPPRESSED", OTHER.recipient_ref, ""),
        ("TOLD_TOO", THIRD.recipient_ref, "first-form"),
    ]


@pytest.mark.parametrize("kinds", [("Send",), ("Send", "Delivery"), ("Delivery",)])
def test_feedback_that_ends_a_doubt_shows_the_others_of_the_mail_as_told(
    context: DeliveryContext, kinds: tuple[str, ...]
) -> None:
    world = to_three(context)
    with ses_answers(context, ReadTimeoutError(endpoint_url="x")):
        release(context)
    doubt = said(context, MARKED.event_id)
    assert [one[0] for one in doubt] == ["SUPPRESSED", "UNKNOWN", "UNKNOWN"]
    # The mail may have told the third too: an account of their notices has to say so.
    assert {one[1] for one in doubt[1:]} == {RECIPIENT.recipient_ref, THIRD.recipient_ref}
    for _ in range(2):
        ses_says(context, world, *kinds)
    found = said(context, MARKED.event_id)
    assert found.count(("TOLD_TOO", THIRD.recipient_ref, "first-form")) == 1
    assert [one[0] for one in found].count("SUPPRESSED") == 1
