"""Reads and changes the delivery ledger for operators. Each change is audited and conditional."""

import os
from typing import Any

from lambdas.common.audit import chain
from lambdas.common.clock import now
from lambdas.delivery.ledger import deliveries, problems
from lambdas.delivery.ledger.items import AddressProblem, DeliveryItem, Switch
from lambdas.delivery.ledger.states import AddressProblemState, DeliveryState, SwitchState
from ops.deployment import Deployment
from ops.problem import ProblemError


def in_state(deployment: Deployment, state: DeliveryState) -> list[DeliveryItem]:
    """Returns the deliveries in a state, the longest unchanged first."""
    _bind(deployment)
    return deliveries.in_state(state)


def address_problems(deployment: Deployment) -> list[AddressProblem]:
    """Returns the problems of addresses, then those of certificates, the oldest of each first."""
    _bind(deployment)
    return [found for problem in AddressProblemState for found in problems.reported(problem)]


def resend(deployment: Deployment, delivery_id: str, by: str) -> None:
    """Changes an unknown delivery to held, so that ReleaseDeliveries sends it. Audits `by`.

    Raises `ProblemError` when no delivery has this id or its state is not unknown.
    """
    _bind(deployment)
    item = deliveries.read(delivery_id)
    if item is None or item.state is not DeliveryState.UNKNOWN or item.task is None:
        raise ProblemError(
            "No unknown delivery has this id. Only unknown deliveries can be resent."
        )
    whom = {"delivery_id": delivery_id, "recipient_ref": item.recipient_ref}
    chain.append(item.event_id, {**_act(by, "RESENT"), **whom})
    if not deliveries.resend(delivery_id, once=False):
        raise ProblemError("The delivery's state has changed meanwhile: it is not sent again.")


def switch(deployment: Deployment, state: SwitchState, by: str) -> None:
    """Pauses or continues the environment's deliveries. The audit entry is under `SWITCH`."""
    _bind(deployment)
    action = "PAUSED" if state is SwitchState.PAUSED else "CONTINUED"
    chain.append(problems.SWITCH, _act(by, action))
    problems.set_switch(state, by)


def switched(deployment: Deployment) -> Switch:
    """Returns whether deliveries are paused, by whom and since when."""
    _bind(deployment)
    return problems.read_switch()


def _act(by: str, action: str) -> dict[str, Any]:
    """The audit entry of an operator's action."""
    return {
        "step": "Operator",
        "actor": f"operator:{by}",
        "action": action,
        "outcome": "ok",
        "started_at": now(),
    }


def _bind(deployment: Deployment) -> None:
    os.environ["ENS_LEDGER_TABLE"] = deployment.output("LedgerTable")
