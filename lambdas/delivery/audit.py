"""Writes the outcome of a delivery to the event's audit chain. Each fact is written once, by any run."""

from typing import Any

from lambdas.common.audit import chain
from lambdas.common.contracts.audit import AuditAction, AuditOutcome
from lambdas.common.contracts.policy import PolicyDecision
from lambdas.common.contracts.recipient import RecipientReason
from lambdas.common.errors import DeliveryRefusedError
from lambdas.common.handler import Run
from lambdas.delivery import detail as details
from lambdas.delivery.context import DeliveryContext
from lambdas.delivery.detail import Detail
from lambdas.delivery.ledger.items import DeliveryItem
from lambdas.delivery.ledger.states import DeliveryState
from lambdas.delivery.standing import Refused

RECORDED_AS = {
    DeliveryState.SENT: (AuditAction.SENT, AuditOutcome.OK),
    DeliveryState.REFUSED: (AuditAction.REFUSED, AuditOutcome.REFUSED),
    DeliveryState.UNKNOWN: (AuditAction.UNKNOWN, AuditOutcome.UNKNOWN),
    DeliveryState.HELD: (AuditAction.HELD, AuditOutcome.HELD),
    DeliveryState.SUPPRESSED: (AuditAction.SUPPRESSED, AuditOutcome.SUPPRESSED),
}

NO_DECISION = PolicyDecision()
"""The decision about a recipient in a document from before there were policies."""

OLD_ACTIONS: dict[str, AuditAction] = {AuditAction.WITHHELD: AuditAction.SUPPRESSED}
"""Audit actions of earlier versions, and their present names."""


def of_delivery(
    context: DeliveryContext,
    run: Run,
    item: DeliveryItem,
    reasons: tuple[RecipientReason, ...],
    *,
    ours: bool,
    detail: Detail,
    policy: PolicyDecision = NO_DECISION,
) -> None:
    """Writes the audit entry of what the ledger says, unless it stands there already.

    `ours`: this run made the item what it is.
    """
    state = item.state
    if state not in RECORDED_AS:
        return
    action, outcome = RECORDED_AS[state]
    facts = {
        **item.audit_members,
        "reasons": reasons,
        "documents": (item.document,) if item.document else (),
        "about": item.updates or None,
        "ses_message_id": item.ses_message_id,
        "error_name": DeliveryRefusedError.__name__ if state is DeliveryState.REFUSED else None,
        "error": item.reason if state is DeliveryState.REFUSED else None,
        "detail": detail.level if state is DeliveryState.SENT else None,
        "reduced": detail.reduced,
        "suppressed_because": item.reason if state is DeliveryState.SUPPRESSED else None,
        "hold_reason": item.hold_reason if state is DeliveryState.HELD else None,
        "release_at": item.release_at if state is DeliveryState.HELD else None,
        **of_policy(policy),
    }
    if ours or not is_audited(context, item, action):
        if ours and state is DeliveryState.SENT and detail.reduced:
            details.report(context, detail, item.recipient_ref, item.endpoint_ref)
            run.count("ReducedDetail")
        if state is DeliveryState.SENT:
            for other in item.also:
                run.note(
                    AuditAction.TOLD_TOO,
                    outcome,
                    **told_too(item, other),
                    **of_policy(policy),
                    detail=detail.level,
                )
        run.audit(action, outcome, **facts)
        if state is DeliveryState.UNKNOWN:
            run.count("UnknownDelivery")
        if state is DeliveryState.HELD:
            run.count("HeldDelivery")
    elif state is DeliveryState.SENT:
        run.audit(AuditAction.ALREADY_SENT, AuditOutcome.OK, **facts)


def of_refused(item: DeliveryItem, one: Refused) -> dict[str, Any]:
    """The members of the entry about an addressee whom a delivery's mail does not tell any more."""
    return {
        **item.audit_members,
        "recipient_ref": one.addressee.recipient_ref,
        "reasons": one.addressee.reasons,
        "suppressed_because": one.reason,
        **of_policy(one.policy),
    }


def of_policy(policy: PolicyDecision) -> dict[str, Any]:
    """The members of an entry that name a decision's rule, its consent, and the parts that it leaves out."""
    return {
        "policy_file": policy.rule.file,
        "policy_rule": policy.rule.rule,
        "policy_version": policy.rule.version,
        "consent_id": policy.consent_id,
        "left_out": policy.left_out or None,
    }


def told_too(item: DeliveryItem, other_ref: str) -> dict[str, Any]:
    """The members of the entry about another recipient of a mail, which the index `by_recipient` holds."""
    return {**item.audit_members, "recipient_ref": other_ref, "told_with": item.recipient_ref}


def is_audited(context: DeliveryContext, item: DeliveryItem, action: AuditAction) -> bool:
    """Whether the event's chain has this action of the delivery, also by the name of an older version."""
    return any(
        OLD_ACTIONS.get(entry["action"], entry["action"]) == action
        and entry.get("delivery_id") == item.delivery_id
        for entry in chain.entries(context, item.event_id)
    )
