"""Reads and changes the delivery ledger for operators. Each change is audited and conditional."""

from lambdas.common.contracts.audit import AuditAction, AuditStep
from lambdas.delivery.ledger import deliveries, problems
from lambdas.delivery.ledger.items import AddressProblem, DeliveryItem, Switch
from lambdas.delivery.ledger.states import AddressProblemState, DeliveryState, SwitchState
from ops.audit import audit
from ops.deployment import Deployment
from ops.problem import ProblemError


def in_state(deployment: Deployment, state: DeliveryState) -> list[DeliveryItem]:
    """Returns the deliveries in a state, the longest unchanged first."""
    return deliveries.in_state(deployment.context, state)


def address_problems(deployment: Deployment) -> list[AddressProblem]:
    """Returns the problems of addresses, then those of certificates, the oldest of each first."""
    return [
        found
        for problem in AddressProblemState
        for found in problems.reported(deployment.context, problem)
    ]


def resend(deployment: Deployment, delivery_id: str, by: str) -> None:
    """Changes an unknown delivery to held, so that ReleaseDeliveries sends it. Audits `by`.

    Raises `ProblemError` when no delivery has this id or its state is not unknown.
    """
    item = deliveries.read(deployment.context, delivery_id)
    if item is None or item.state is not DeliveryState.UNKNOWN or item.task is None:
        raise ProblemError(
            "No unknown delivery has this id. Only unknown deliveries can be resent."
        )
    audit(
        deployment.context,
        item.event_id,
        AuditStep.OPERATOR,
        AuditAction.RESENT,
        by=by,
        delivery_id=delivery_id,
        recipient_ref=item.recipient_ref,
    )
    if not deliveries.resend(deployment.context, delivery_id, once=False):
        raise ProblemError("The delivery's state has changed meanwhile: it is not sent again.")


def switch(deployment: Deployment, state: SwitchState, by: str) -> None:
    """Pauses or continues the environment's deliveries. The audit entry is under `SWITCH`."""
    action = AuditAction.PAUSED if state is SwitchState.PAUSED else AuditAction.CONTINUED
    audit(deployment.context, problems.SWITCH, AuditStep.OPERATOR, action, by=by)
    problems.set_switch(deployment.context, state, by)


def switched(deployment: Deployment) -> Switch:
    """Returns whether deliveries are paused, by whom and since when."""
    return problems.read_switch(deployment.context)
