"""`ens senders expiring`: certificates that the receivers have named in their log."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3
from click.testing import Result

from ops.deployment import Deployment
from ops.senders.expiring import MESSAGE

Ens = Callable[..., Result]


def named(environment: str, *certificates: tuple[str, str]) -> None:
    """Writes the receiver's line about each certificate, by last day and name."""
    logs: Any = boto3.client("logs")
    where = {"logGroupName": f"/ecs/hl7-ens-{environment}-receiver", "logStreamName": "task"}
    logs.create_log_group(logGroupName=where["logGroupName"])
    logs.create_log_stream(**where)
    now = int(datetime.now(UTC).timestamp() * 1000)
    lines = [
        json.dumps({"message": MESSAGE, "expires": day, "certificate": name})
        for day, name in certificates
    ]
    if lines:
        logs.put_log_events(
            **where, logEvents=[{"timestamp": now, "message": one} for one in lines]
        )


def test_without_a_receivers_log_nothing_is_said_about_certificates(
    ens: Ens, deployment: Deployment
) -> None:
    result = ens("senders", "expiring")
    assert result.exit_code == 1
    assert f"/ecs/hl7-ens-{deployment.environment}-receiver does not exist" in result.output
    named(deployment.environment)
    assert "No certificate in use expires" in ens("senders", "expiring").output


def test_each_certificate_is_shown_once(ens: Ens, deployment: Deployment) -> None:
    later, soon = ("2026-12-24", "CN=adt.west"), ("2026-12-02", "CN=adt.north")
    named(deployment.environment, later, soon, later)
    lines = ens("senders", "expiring").output.splitlines()
    assert lines == ["2026-12-02  CN=adt.north", "2026-12-24  CN=adt.west"]


def test_a_senders_certificate_cannot_send_a_code_to_the_terminal(
    ens: Ens, deployment: Deployment
) -> None:
    named(deployment.environment, ("2026-12-24", "CN=adt\x1b[2K\nnone"))
    assert ens("senders", "expiring").output == "2026-12-24  CN=adt?[2K?none\n"
