"""The local system calls scheduled functions at the pace that their rules name."""

import threading
from typing import Any

from local.events.timer import Timer, scheduled_functions

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


def test_the_functions_of_schedules_are_known_and_those_of_event_patterns_are_none(
    aws: Any,
) -> None:
    events = aws.client("events")
    events.put_rule(Name="minutes", ScheduleExpression="rate(1 minute)")
    events.put_rule(Name="mails", EventPattern='{"source": ["aws.ses"]}')
    for rule, target in (
        ("minutes", FUNCTION),
        ("minutes", ROLE),
        ("mails", FUNCTION + "Feedback"),
    ):
        events.put_targets(Rule=rule, Targets=[{"Id": target.split(":")[2], "Arn": target}])
    assert scheduled_functions() == {"Release"}
