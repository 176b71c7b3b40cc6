"""The delivery ledger as operators read and move it; every move is a conditional write and is audited."""

import os
from typing import Any

from lambdas.common import audit, deliveries
from lambdas.common.aws import client, dependency
from lambdas.common.clock import now
from lambdas.common.deliveries import UNKNOWN
from lambdas.common.items import from_item, to_item
from ops.deployment import Deployment
from ops.problem import ProblemError

Item = dict[str, Any]


def in_state(deployment: Deployment, state: str) -> list[Item]:
    """The ledger's items in a state, the longest unchanged first."""
    _bind(deployment)
    pages = client("dynamodb").get_paginator("query")
    found: list[Item] = []
    with dependency("dynamodb"):
        for page in pages.paginate(
            TableName=deliveries.ledger_table(),
            IndexName="by_state",
            KeyConditionExpression="#state = :state",
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues=to_item({":state": state}),
        ):
            found += map(from_item, page["Items"])
    return found


def resend(deployment: Deployment, delivery_id: str, by: str) -> None:
    """Lets an unknown delivery go with the next release, in a person's name.

    `ProblemError` when there is no such delivery, or it is not unknown (any more).
    """
    _bind(deployment)
    item = deliveries.read(delivery_id)
    if item is None or item["state"] != UNKNOWN or "task" not in item:
        raise ProblemError("No unknown delivery has this id: only an unknown one is sent again.")
    whom = {"delivery_id": delivery_id, "recipient_ref": item["recipient_ref"]}
    audit.append(item["event_id"], {**_act(by, "RESENT"), **whom})
    if not deliveries.resend(delivery_id, once=False):
        raise ProblemError("The delivery was settled meanwhile: it is not sent again.")


def switch(deployment: Deployment, state: str, by: str) -> None:
    """Sets the environment's switch to `paused`, or to anything else: on; audited under `SWITCH`."""
    _bind(deployment)
    action = "PAUSED" if state == deliveries.PAUSED else "CONTINUED"
    audit.append(deliveries.SWITCH, _act(by, action))
    deliveries.mark(deliveries.SWITCH, state, by=by)


def switched(deployment: Deployment) -> Item:
    """The switch as it stands: its `state`, who set it and when; empty where nobody ever did."""
    _bind(deployment)
    return deliveries.read(deliveries.SWITCH) or {}


def _act(by: str, action: str) -> Item:
    """The audit facts of a person's act."""
    return {
        "step": "Operator",
        "actor": f"operator:{by}",
        "action": action,
        "outcome": "ok",
        "started_at": now(),
    }


def _bind(deployment: Deployment) -> None:
    os.environ["ENS_LEDGER_TABLE"] = deployment.output("LedgerTable")
