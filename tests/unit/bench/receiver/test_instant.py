"""The benchmark's parts of the receiver acknowledge as the receiver does, and call no AWS."""

import asyncio
import io
from types import SimpleNamespace
from typing import cast

import pytest

from bench.receiver.instant import AckOnlyIntake, InstantStore
from hl7.mllp import Frame
from receiver.intake.intake import Intake
from receiver.intake.reference_key import ReferenceKey
from receiver.intake.sender_table import Origin
from receiver.settings import ReceiverSettings
from receiver.storage.aws_client.calls import Aws
from receiver.storage.store import Store
from receiver.storage.turns import Turns
from receiver.telemetry.log import Log
from receiver.telemetry.metrics import Metrics

SETTINGS = ReceiverSettings("t", "vault", "https://sqs.example/queue", "key", "c", "k", "r")
ADMISSION = b"MSH|^~\\&|ADT|NORTH|||20261126||ADT^A01|C1|P|2.5.1\rPID|1||H1\r"
AWS = cast(Aws, SimpleNamespace(ask_queue=None))
KEY = ReferenceKey("k1", b"key")
NO_STORE = cast(Store, None)


@pytest.mark.parametrize(
    ("intake", "stored_in"), [(Intake, InstantStore(SETTINGS, AWS, KEY)), (AckOnlyIntake, NO_STORE)]
)
def test_a_message_is_acknowledged_without_a_call_of_aws(
    intake: type[Intake], stored_in: Store
) -> None:
    log = Log(io.StringIO())
    parts = intake(SETTINGS, stored_in, KEY, Metrics("t", log), log)
    accepted = asyncio.run(parts.answer(Frame(ADMISSION), Origin("c"), Turns()))
    assert accepted is not None
    assert b"\rMSA|AA|C1" in accepted
