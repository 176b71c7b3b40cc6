"""Reads and changes the delivery ledger for operators. Each change is audited and conditional."""

from collections.abc import Sequence

from lambdas.common.contracts.audit import AuditAction, AuditOutcome, AuditStep
from lambdas.common.contracts.workflow.delivery_states import DeliveryState
from lambdas.delivery.ledger.deliveries import deliveries
from lambdas.delivery.ledger.items import (
    AddressProblem,
    AddressProblemState,
    DeliveryItem,
    SwitchState,
)
from lambdas.delivery.ledger.sending import address_problems, pause
from ops.audit.entry import REGISTRY_CHAIN, audit
from ops.audit.looks import reason_for
from ops.deployment import Deployment
from ops.problem import ProblemError


def known_problems(deployment: Deployment) -> list[AddressProblem]:
    """Returns the problems of addresses, then those of certificates, the oldest of each first."""
    return [
        found
        for problem in AddressProblemState
        for found in address_problems.reported(deployment.context, problem)
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


def reopen(deployment: Deployment, recipient_ref: str, reason: str, by: str) -> int:
    """Has a recipient's addresses used again that bounced or complained. Audits `by` and the reason for each.

    Returns their number. Raises `ProblemError` when none of them is out of use.
    """
    reason = reason_for(reason)
    context = deployment.context
    failed = [
        one
        for one in address_problems.reported(context, AddressProblemState.ENDPOINT_BAD)
        if one.recipient_ref == recipient_ref
    ]
    if not failed:
        raise ProblemError(
            "No address of this recipient is out of use: `ens deliveries problems` names those of whom one is."
        )
    for problem in failed:
        audit(
            context,
            REGISTRY_CHAIN,
            AuditStep.OPERATOR,
            AuditAction.ADDRESS_REOPENED,
            by=by,
            delivery_id=problem.delivery_id,
            act_reason=reason,
        )
        address_problems.clear(context, problem)
    return len(failed)


def discard(deployment: Deployment, delivery_ids: Sequence[str], reason: str, by: str) -> None:
    """Ends held deliveries as suppressed: nobody is told. Audits `by` and the reason in each event's chain.

    Raises `ProblemError` for a delivery that does not exist, is not held, or is part of a summary that is
    on its way; then none of them is changed.
    """
    reason = reason_for(reason)
    items = [_discardable(deployment, one) for one in dict.fromkeys(delivery_ids)]
    for item in items:
        audit(
            deployment.context,
            item.event_id,
            AuditStep.OPERATOR,
            AuditAction.SUPPRESSED,
            by=by,
            outcome=AuditOutcome.SUPPRESSED,
            delivery_id=item.delivery_id,
            recipient_ref=item.recipient_ref,
            channel=item.channel or None,
            patient_ref=item.patient_ref or None,
            encounter_ref=item.encounter_ref or None,
            event_kind=item.event_kind or None,
            suppressed_because=deliveries.DISCARDED,
            act_reason=reason,
        )
        if not deliveries.discard(deployment.context, item.delivery_id):
            raise ProblemError(
                f"{item.delivery_id}: the delivery's state has changed meanwhile: it is not discarded."
            )


def _discardable(deployment: Deployment, delivery_id: str) -> DeliveryItem:
    """The delivery; `ProblemError` where it cannot be discarded."""
    item = deliveries.read(deployment.context, delivery_id)
    if item is None or not item.event_id:
        raise ProblemError(f"{delivery_id}: no delivery has this id. Nothing was discarded.")
    if item.state is not DeliveryState.HELD:
        raise ProblemError(
            f"{delivery_id}: the delivery is {item.state}. Only held deliveries can be discarded."
            " Nothing was discarded."
        )
    if item.digest_id:
        raise ProblemError(
            f"{delivery_id}: the delivery is part of a summary that is on its way."
            " Nothing was discarded."
        )
    return item


def switch(deployment: Deployment, state: SwitchState, by: str) -> None:
    """Pauses or continues the environment's deliveries. The audit entry is under `SWITCH`."""
    action = AuditAction.PAUSED if state is SwitchState.PAUSED else AuditAction.CONTINUED
    audit(deployment.context, pause.SWITCH, AuditStep.OPERATOR, action, by=by)
    pause.set_switch(deployment.context, state, by)
