"""One provider of both patients of a moved stay: a correction and the right patient's event, each once."""

from dataclasses import replace

import boto3
import pytest

from lambdas.common.audit import chain
from lambdas.common.contracts.encounters.encounter import Audience, Notice
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.common.contracts.workflow.delivery_states import DeliveryState
from lambdas.common.contracts.workflow.tasks import DeliverNotificationInput, EventReference
from lambdas.delivery.context import DeliveryContext
from lambdas.delivery.ledger.deliveries import deliveries
from lambdas.delivery.ledger.items import DeliveryItem
from tests.functional.lambdas.deliver_notification.moved_stay import (
    OTHER,
    moved,
    of_right_patient,
    raw,
    two_patients,
)
from tests.functional.lambdas.deliver_notification.stay import (
    LATER_TODAY,
    delivered,
    event,
    looked_up,
)
from tests.functional.lambdas.deliver_notification.world import sent_mails
from tests.functional.lambdas.release_deliveries.world import due_now, release, states

__all__ = ["two_patients"]
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")

MOVED = f"{2:032x}"


def of_both() -> list[str]:
    """The titles of the mails to the provider of both patients, in order."""
    mails = [mail for mail in sent_mails() if mail["To"] == "aco@clinic.example"]
    return [mail["Subject"].partition(":")[0] for mail in mails]


def moved_and_waiting() -> PatientEvent:
    """The moving event; the right patient's notice waits for updates."""
    one = moved()
    assert one.decision is not None
    correction, told = one.decision.notices
    notices = (correction, replace(told, settle_until=LATER_TODAY))
    return replace(one, decision=replace(one.decision, notices=notices))


def test_a_repeated_run_sends_neither_notice_again(context: DeliveryContext) -> None:
    delivered(context, looked_up(context, event(1, EventKind.ADMISSION)))
    delivered(context, looked_up(context, moved()))
    assert of_both() == ["Hospital admission", "Correction of the patient", "Hospital admission"]
    delivered(context, looked_up(context, moved()))
    assert len(of_both()) == 3
    entries = [one for one in chain.entries(context, MOVED) if one["action"] == "SENT"]
    assert len({one["delivery_id"] for one in entries}) == len(entries) == 4


def test_the_second_notice_waits_and_takes_up_an_update(context: DeliveryContext) -> None:
    delivered(context, looked_up(context, event(1, EventKind.ADMISSION)))
    outcomes = delivered(context, looked_up(context, moved_and_waiting()))
    assert sorted(outcomes) == ["held", "held", "sent", "sent"]
    update = event(3, EventKind.UPDATE)
    assert update.decision is not None
    notices = (
        Notice(kind=EventKind.UPDATE, audience=Audience.TOLD, about=(MOVED,)),
        Notice(kind=EventKind.ADMISSION, audience=Audience.UNTOLD, about=(MOVED,)),
    )
    update = replace(update, patient=OTHER, decision=replace(update.decision, notices=notices))
    assert delivered(context, looked_up(context, update)) == []
    due_now()
    assert release(context) == {"due": 2, "sent": 2}
    assert of_both() == ["Hospital admission", "Correction of the patient", "Hospital admission"]


def test_the_second_notice_is_suppressed_when_the_right_patients_stay_is_withdrawn_first(
    context: DeliveryContext,
) -> None:
    delivered(context, looked_up(context, event(1, EventKind.ADMISSION)))
    delivered(context, looked_up(context, moved_and_waiting()))
    withdrawal = of_right_patient(EventKind.CANCEL_ADMISSION)
    assert delivered(context, looked_up(context, withdrawal)) == []
    due_now()
    assert release(context) == {"due": 2, "suppressed": 2}
    assert of_both() == ["Hospital admission", "Correction of the patient"]


def test_the_fallback_of_the_second_notice_is_told_once_of_the_event(
    context: DeliveryContext,
) -> None:
    task = DeliverNotificationInput(envelope=EventReference(event_id=MOVED), second=True)
    item = DeliveryItem(
        delivery_id="d",
        state=DeliveryState.REFUSED,
        event_id=MOVED,
        recipient_ref="k1.aco",
        channel="email",
        fallback_ref="k1.fallback",
        task=task,
    )
    key = deliveries.tell_instead(context, item)
    assert key == deliveries.delivery_id(MOVED, "k1.fallback", "email")
    held = deliveries.read(context, key)
    assert held is not None and held.task is not None
    assert held.task.second is False


def test_a_provider_who_wants_one_summary_a_day_gets_both_notices_in_it(
    context: DeliveryContext,
) -> None:
    dynamodb = boto3.client("dynamodb")
    (aco,) = (
        item
        for item in dynamodb.scan(TableName="registry")["Items"]
        if item.get("email", {}).get("S") == "aco@clinic.example"
    )
    aco |= {"digest_at": {"S": "07:00"}, "time_zone": {"S": "America/Halifax"}}
    dynamodb.put_item(TableName="registry", Item=aco)
    delivered(context, looked_up(context, event(1, EventKind.ADMISSION)))
    due_now()
    release(context)
    outcomes = delivered(context, looked_up(context, moved()))
    assert sorted(outcomes) == ["held", "held", "sent", "sent"]
    due_now()
    assert release(context)["sent"] == 1
    (_, summary) = (mail for mail in sent_mails() if mail["To"] == "aco@clinic.example")
    content = raw(summary)
    assert "Amaka Okonjo was an error" in content
    assert "Berta Zweig was admitted" in content
    assert states() == {"sent": 7}
