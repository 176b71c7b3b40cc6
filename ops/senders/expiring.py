"""Reads from the receivers' log which certificates expire soon.

The receivers see the certificates that senders show; no file of this project holds these.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ops.aws_calls import if_exists
from ops.deployment import CONFIG, Deployment
from ops.problem import ProblemError

LOOK_BACK = timedelta(hours=25)
MESSAGE = "certificate expires soon"


@dataclass(frozen=True, slots=True, order=True)
class Expiring:
    """A certificate in use and its last day, as in `2026-12-24`."""

    expires: str
    certificate: str


def expiring(deployment: Deployment, now: datetime) -> list[Expiring]:
    """Returns the certificates that receivers have named in the last day, soonest end first.

    Raises `ProblemError` where the receivers have no log group: nothing is known then. Amazon CloudWatch
    Logs API Reference, FilterLogEvents.
    """
    group = f"/ecs/hl7-ens-{deployment.environment}-receiver"
    pages = (
        deployment.context.client("logs", CONFIG)
        .get_paginator("filter_log_events")
        .paginate(
            logGroupName=group,
            filterPattern=f'{{ $.message = "{MESSAGE}" }}',
            startTime=int((now - LOOK_BACK).astimezone(UTC).timestamp() * 1000),
        )
    )
    answer = if_exists(pages.build_full_result, "ResourceNotFoundException")
    if answer is None:
        raise ProblemError(
            f"The log group {group} does not exist, so no certificate is known:"
            " deploy the ingress stack; the local receiver names them in its own output."
        )
    lines = (json.loads(event["message"]) for event in answer["events"])
    return sorted({Expiring(str(one["expires"]), str(one["certificate"])) for one in lines})
