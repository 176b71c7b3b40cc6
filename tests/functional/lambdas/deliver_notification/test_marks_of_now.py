"""A message that says nothing new may protect the stay while a mail about it waits."""

from dataclasses import replace

import boto3
import pytest
from moto.ses.models import ses_backends

from lambdas.common.audit import chain
from lambdas.common.aws.items import to_item
from lambdas.common.contracts.encounters.encounter import Decision, Encounter
from lambdas.common.contracts.encounters.protection import ProtectionFlag
from lambdas.delivery.context import DeliveryContext
from lambdas.encounters.items import encounter_item
from tests.functional.lambdas.deliver_notification.world import (
    ACCOUNT,
    ADMISSION,
    EVENT_ID,
    DeliveryWorld,
)

STAY = Encounter(encounter_id=EVENT_ID, sender="northgen")
EVENT = replace(
    ADMISSION,
    decision=Decision(
        event_id=EVENT_ID,
        trigger_event="A01",
        decided_at="",
        encounter_id=EVENT_ID,
        encounter_key="visit#k1",
    ),
)


def keep(stay: Encounter) -> None:
    """Writes the stay as it is when the mail is about to be sent."""
    item = {**encounter_item(stay), "pk": "visit#k1"}
    boto3.client("dynamodb").put_item(TableName="encounters", Item=to_item(item))


def mails() -> int:
    return len(ses_backends[ACCOUNT]["us-east-1"].sent_messages)


def test_a_flag_that_came_while_the_mail_waited_suppresses_it(context: DeliveryContext) -> None:
    world = DeliveryWorld(context, patient_event=EVENT)
    keep(replace(STAY, protections=(ProtectionFlag.PV1_16,)))
    assert (world.run()["outcome"], mails()) == ("suppressed", 0)
    entry = chain.entries(context, EVENT_ID)[-1]
    assert entry["suppressed_because"] == "VISIT_PROTECTED"
    assert (entry["policy_file"], entry["policy_rule"]) == ("us-federal", "hospital-mark")


@pytest.mark.parametrize(
    "stay",
    [
        STAY,
        # The number was given to another patient's stay since.
        replace(STAY, encounter_id="a" * 32, protections=(ProtectionFlag.PV1_16,)),
    ],
)
def test_marks_of_no_stay_or_of_another_one_change_nothing(
    context: DeliveryContext, stay: Encounter
) -> None:
    world = DeliveryWorld(context, patient_event=EVENT)
    keep(stay)
    assert (world.run()["outcome"], mails()) == ("sent", 1)
