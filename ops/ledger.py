"""The delivery ledger as operators read and change it; every change is conditional and is audited."""

from typing import Any

from lambdas.common.audit import chain
from lambdas.common.clock import now
from lambdas.delivery.ledger import deliveries, problems
from lambdas.delivery.ledger.items import AddressProblem, DeliveryItem, Switch
from lambdas.delivery.ledger.states import DeliveryState, Problem, SwitchState
from ops.deployment import Deployment
from ops.problem import ProblemError


def in_state(deployment: Deployment, state: DeliveryState) -> list[DeliveryItem]:
    """The deliveries in a state, the longest unchanged first."""
    return deliveries.in_state(deployment.context, state)


def address_problems(deployment: Deployment) -> list[AddressProblem]:
    """The problems of addresses, then those of certificates, the oldest of each first."""
    return [
        found for problem in Problem for found in problems.reported(deployment.context, problem)
    ]


def resend(deployment: Deployment, delivery_id: str, by: str) -> None:
    """Holds an unknown delivery for the next release, in a person's name.

    Raises `ProblemError` when there is no such delivery, or it is not unknown (any more).
    """
    item = deliveries.read(deployment.context, delivery_id)
    if item is None or item.state is not DeliveryState.UNKNOWN or item.task is None:
        raise ProblemError("No unknown delivery has this id: only an unknown one is sent again.")
    whom = {"delivery_id": delivery_id, "recipient_ref": item.recipient_ref}
    chain.append(deployment.context, item.event_id, {**_act(by, "RESENT"), **whom})
    if not deliveries.resend(deployment.context, delivery_id, once=False):
        raise ProblemError("The delivery was settled meanwhile: it is not sent again.")


def switch(deployment: Deployment, state: SwitchState, by: str) -> None:
    """Sets the environment's switch; audited under `SWITCH`."""
    action = "PAUSED" if state is SwitchState.PAUSED else "CONTINUED"
    chain.append(deployment.context, problems.SWITCH, _act(by, action))
    problems.set_switch(deployment.context, state, by)


def switched(deployment: Deployment) -> Switch:
    """The switch as it stands."""
    return problems.read_switch(deployment.context)


def _act(by: str, action: str) -> dict[str, Any]:
    """The audit facts of a person's act."""
    return {
        "step": "Operator",
        "actor": f"operator:{by}",
        "action": action,
        "outcome": "ok",
        "started_at": now(),
    }
