"""An admission and the update behind it, through all steps: one mail with the details of both."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import boto3
import pytest

from environments.loader import load
from hl7.mllp import wrap
from lambdas.common.aws.clients import Clients
from lambdas.common.aws.items import to_item
from lambdas.delivery.context import DeliveryContext
from lambdas.delivery.settings import DeliverySettings
from lambdas.lookup_identities.registry.items import items_of_folder
from lambdas.release_deliveries import releasing
from tests.conftest import ENVIRONMENT, mocked_aws
from tests.functional.lambdas.release_deliveries.world import Lambda, due_now, release
from tests.support import configuration
from tests.support.deployment import deployed
from tests.support.feed_system import FeedSystem
from tests.workflow.real import SEEDS, functions, stand_in

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")


@pytest.fixture
def system() -> Iterator[FeedSystem]:
    """A system whose sender has the default settling times."""
    with pytest.MonkeyPatch.context() as patch, stand_in() as comprehend_medical:
        for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        patch.setenv("AWS_ENDPOINT_URL_COMPREHENDMEDICAL", comprehend_medical)
        patch.setenv("ENS_DELIVER_FUNCTION", "DeliverNotification")
        patch.setattr(releasing, "AT_ONCE", 1)
        with mocked_aws(patch):
            document = json.loads(load("local").configuration())
            for sender in document["senders"]:
                sender.pop("encounters", None)
            configuration.deploy(json.dumps(document), patch)
            for item in items_of_folder(SEEDS):
                boto3.client("dynamodb").put_item(TableName="registry", Item=to_item(item))
            yield FeedSystem(deployed(boto3), json.dumps(document), functions())


def sent(system: FeedSystem, trigger: str, number: int, attending: str) -> tuple[str, ...]:
    """The mails of a message about the sample patient, recorded now."""
    now = datetime.now(UTC).strftime("%Y%m%d%H%M%S+0000")
    segments = (
        f"MSH|^~\\&|ADTSYS|NORTHGEN|||{now}||ADT^{trigger}^ADT_A01|SETTLE-{number}|P|2.5.1",
        f"EVN|{trigger}|{now}",
        "PID|1||H00412^^^NORTHGEN^MR||Okafor^Amara||19580214|F",
        f"PV1|1|I|4W^412^B^NORTHGEN||||{attending}||||||||||||V-SETTLE",
    )
    answers, (outcome,) = system.send(wrap("\r".join(segments).encode()))
    assert answers == ["accepted"]
    assert outcome.status == "COMPLETED"
    return outcome.mails


def released() -> dict[str, int]:
    """A run of ReleaseDeliveries after every waiting time has passed."""
    function = Lambda()
    context = DeliveryContext(DeliverySettings.from_environment(), Clients(**{"lambda": function}))
    function.context = context
    due_now()
    return release(context)


def test_an_admission_and_its_first_update_are_one_mail(system: FeedSystem) -> None:
    assert sent(system, "A01", 1, "") == ()
    assert sent(system, "A08", 2, "1777777776^Barros^Ines^^^Dr") == ()
    assert released() == {"due": 1, "sent": 1}
    (item,) = [
        one
        for one in boto3.client("dynamodb").scan(TableName="ledger")["Items"]
        if one.get("state", {}).get("S") == "sent"
    ]
    document = item["document"]["M"]["key"]["S"]
    mail = boto3.client("s3").get_object(Bucket="vault", Key=document)["Body"].read().decode()
    assert "Dr Ines Barros (attending)" in mail


def test_an_admission_that_is_cancelled_within_its_minute_is_told_to_nobody(
    system: FeedSystem,
) -> None:
    assert sent(system, "A01", 1, "") == ()
    assert sent(system, "A11", 2, "") == ()
    assert released() == {"due": 1, "suppressed": 1}
