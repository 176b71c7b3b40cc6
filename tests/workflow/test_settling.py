"""An admission and the update behind it, through all steps: one mail with the details of both."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from hl7.mllp import wrap
from lambdas.common.aws.clients import Clients
from lambdas.delivery.context import DeliveryContext, DeliverySettings
from lambdas.release_deliveries import releasing
from tests.functional.lambdas.release_deliveries.world import Lambda, due_now, release
from tests.support.feed_system import FeedSystem
from tests.support.registry import seed_registry
from tests.workflow.real import feed_system

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> Iterator[FeedSystem]:
    """A system whose sender has the default settling times."""
    monkeypatch.setenv("ENS_DELIVER_FUNCTION", "DeliverNotification")
    monkeypatch.setattr(releasing, "AT_ONCE", 1)

    def defaults(document: dict[str, Any]) -> None:
        for sender in document["senders"]:
            sender.pop("encounters", None)

    with feed_system(FeedSystem, defaults) as deployed:
        seed_registry()
        yield deployed


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
