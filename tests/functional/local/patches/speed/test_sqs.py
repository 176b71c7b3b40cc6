"""The clock of SQS tells the same time as moto's."""

from datetime import datetime

from moto.core.utils import unix_time_millis
from moto.sqs import models

from local.patches.speed import sqs


def test_the_time_is_that_of_moto_to_the_millisecond() -> None:
    sqs.install()
    moment = datetime(2026, 11, 23, 13, 13, 4, 250_000)  # noqa: DTZ001 - moto reckons without zones
    changed = vars(models)["unix_time_millis"]
    assert changed(moment) == unix_time_millis(moment)
    before, now, after = unix_time_millis(), changed(), unix_time_millis()
    assert before - 1 <= now <= after + 1
