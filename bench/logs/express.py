"""An execution's history as the log events that an Express workflow writes to CloudWatch Logs.

Step Functions developer guide, "Using CloudWatch Logs to log execution history": one JSON object an
event with `id`, `type`, `details`, `previous_event_id`, `event_timestamp` and `execution_arn`, all
values text; `details` are those of GetExecutionHistory's event. With `includeExecutionData` false,
input, output and parameters are left out. The shape is that of the event in aws-samples'
"logs-to-traces" and of the guide's examples.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

OVERHEAD = 26
"""Bytes that CloudWatch Logs adds to each event (API reference, PutLogEvents)."""

EXECUTION_DATA = ("input", "output", "parameters")

MACHINE = "hl7-ens-prod-patient-event"
NAME = "6f1c0f0e-5d7a-4c58-9f3e-2a8f4f7f1c11"
EXPRESS_ARN = f"arn:aws:states:us-east-1:123456789012:express:{MACHINE}:{NAME}:{NAME}"

RECEIPT_HANDLE = "AQEB" + "x" * 408
"""A handle as long as SQS's own; moto's have 184 characters."""

HistoryEvent = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Volume:
    """The log of one execution: how many events, and how many bytes as CloudWatch counts them."""

    events: int
    size: int

    @classmethod
    def of(cls, lines: Sequence[str]) -> "Volume":
        """The volume of these log events."""
        return cls(len(lines), sum(len(line.encode()) + OVERHEAD for line in lines))


def log_events(history: Iterable[HistoryEvent], *, data: bool) -> list[str]:
    """The log events of a history that moto recorded, one line each; `data` is includeExecutionData.

    moto's names are replaced by ones as long as AWS's: the ARN of the execution, the receipt handle.
    """
    events = list(history)
    replacements = _as_long_as_aws(events[0])
    return [_replaced(_line(event, data), replacements) for event in events]


def _line(event: HistoryEvent, data: bool) -> str:
    named = (value for name, value in event.items() if name.endswith("EventDetails"))
    details = {
        name: _compact(value) if name in EXECUTION_DATA else value
        for name, value in next(named, {}).items()
        if data or name not in EXECUTION_DATA
    }
    moment: datetime = event["timestamp"]
    return json.dumps(
        {
            "id": str(event["id"]),
            "type": event["type"],
            "details": details or None,
            "redrive_count": "0",
            "previous_event_id": str(event.get("previousEventId", 0)),
            "event_timestamp": str(int(moment.timestamp() * 1000)),
            "execution_arn": EXPRESS_ARN,
        },
        separators=(",", ":"),
    )


def _compact(document: str) -> str:
    """Step Functions writes JSON without blanks; moto keeps those of its callers."""
    return json.dumps(json.loads(document), separators=(",", ":"), ensure_ascii=False)


def _as_long_as_aws(started: HistoryEvent) -> dict[str, str]:
    [record] = json.loads(started["executionStartedEventDetails"]["input"])
    return {
        record["receiptHandle"]: RECEIPT_HANDLE,
        "arn:aws:lambda:us-east-1:123456789012:function:": (
            "arn:aws:lambda:us-east-1:123456789012:function:hl7-ens-prod-"
        ),
    }


def _replaced(line: str, replacements: dict[str, str]) -> str:
    for short, long in replacements.items():
        line = line.replace(short, long)
    start = line.find("arn:aws:states:us-east-1:123456789012:execution:")
    while start >= 0:
        end = min(e for e in (line.find(c, start) for c in ('"', "\\")) if e >= 0)
        line = line.replace(line[start:end], EXPRESS_ARN)
        start = line.find("arn:aws:states:us-east-1:123456789012:execution:")
    return line
