"""The local system calls scheduled functions at the pace that their rules name."""

import threading
from typing import Any

from local.events.timer import Timer

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:Release"
ROLE = "arn:aws:sns:us-east-1:000000000000:Release"


def test_each_function_of_an_enabled_rate_is_called_again_and_again(aws: Any) -> None:
    events = aws.client("events")
    for name, schedule, state, target in (
        ("minutes", "rate(1 minute)", "ENABLED", FUNCTION),
        ("hours", "rate(2 hours)", "ENABLED", FUNCTION + "Hourly"),
        ("off", "rate(1 minute)", "DISABLED", FUNCTION + "Off"),
        ("topic", "rate(1 minute)", "ENABLED", ROLE),
    ):
        events.put_rule(Name=name, ScheduleExpression=schedule, State=state)
        events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": target}])
    called: list[str] = []
    twice = threading.Event()

    def invoke(function: str, payload: bytes) -> tuple[bytes, bool]:
        assert b"Scheduled Event" in payload
        called.append(function)
        if len(called) > 1:
            twice.set()
        return b"{}", False

    timer = Timer(invoke, {"minute": 0.01, "hour": 60.0, "day": 60.0})
    timer.start()
    assert twice.wait(10)
    timer.stop()
    assert set(called) == {"Release"}
