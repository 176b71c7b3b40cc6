"""Reads from the receivers' log which certificates expire soon.

The receivers see the certificates that senders show; no file of this project holds these.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ops.aws_calls import if_exists
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
    pages = (
        deployment.context.client("logs", CONFIG)
        .get_paginator("filter_log_events")
        .paginate(
            logGroupName=f"/ecs/hl7-ens-{deployment.environment}-receiver",
            filterPattern=f'{{ $.message = "{MESSAGE}" }}',
            startTime=int((now - LOOK_BACK).astimezone(UTC).timestamp() * 1000),
        )
    )
    answer = if_exists(pages.build_full_result, "ResourceNotFoundException") or {"events": []}
    return sorted({_of_line(event["message"]) for event in answer["events"]})


def _of_line(line: str) -> Expiring:
    document = json.loads(line)
    return Expiring(str(document["expires"]), str(document["certificate"]))
