"""Reads from the receivers' log which certificates expire soon.

The receivers see the certificates that senders show; no file of this project holds these.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from ops.deployment import CONFIG, Deployment

LOOK_BACK = timedelta(hours=25)
MESSAGE = "certificate expires soon"


@dataclass(frozen=True, slots=True, order=True)
class Expiring:
    """A certificate in use and its last day, as in `2026-12-24`."""

    expires: str
    certificate: str


def expiring(deployment: Deployment, now: datetime) -> list[Expiring]:
    """Returns the certificates that receivers have named in the last day, soonest end first.

    Amazon CloudWatch Logs API Reference, FilterLogEvents.
    """
    logs: Any = deployment.context.client("logs", CONFIG)
    request = {
        "logGroupName": f"/ecs/hl7-ens-{deployment.environment}-receiver",
        "filterPattern": f'{{ $.message = "{MESSAGE}" }}',
        "startTime": int((now - LOOK_BACK).astimezone(UTC).timestamp() * 1000),
    }
    found: set[Expiring] = set()
    try:
        for page in logs.get_paginator("filter_log_events").paginate(**request):
            for event in page["events"]:
                found.add(_of_line(event["message"]))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
    return sorted(found)


def _of_line(line: str) -> Expiring:
    document = json.loads(line)
    return Expiring(str(document["expires"]), str(document["certificate"]))
