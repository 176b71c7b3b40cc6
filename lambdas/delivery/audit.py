"""Writes the outcome of a delivery to the event's audit chain. Each fact is written once, by any run."""

from collections.abc import Iterable
from typing import Any

from lambdas.common.audit import chain
from lambdas.common.contracts.audit import AuditAction, AuditOutcome
from lambdas.common.contracts.recipients.policy import PolicyDecision
from lambdas.common.contracts.recipients.recipient import RecipientReason
from lambdas.common.contracts.workflow.delivery_states import DeliveryState
from lambdas.common.errors import DeliveryRefusedError
from lambdas.common.function.handler import Run
from lambdas.delivery.context import DeliveryContext
from lambdas.delivery.decisions import detail as details
from lambdas.delivery.decisions.detail import Detail
from lambdas.delivery.decisions.recheck import Refused
from lambdas.delivery.ledger.items import DeliveryItem

RECORDED_AS = {
    DeliveryState.SENT: (AuditAction.SENT, AuditOutcome.OK),
    DeliveryState.REFUSED: (AuditAction.REFUSED, AuditOutcome.REFUSED),
    DeliveryState.UNKNOWN: (AuditAction.UNKNOWN, AuditOutcome.UNKNOWN),
    DeliveryState.HELD: (AuditAction.HELD, AuditOutcome.HELD),
    DeliveryState.SUPPRESSED: (AuditAction.SUPPRESSED, AuditOutcome.SUPPRESSED),
}

COUNTED_AS = {DeliveryState.UNKNOWN: "UnknownDelivery", DeliveryState.HELD: "HeldDelivery"}
"""The metrics of states that an operator watches."""

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
    refused: Iterable[Refused] = (),
) -> None:
    """Writes the audit entries of a delivery's state in one transaction, unless the chain has them.

    `ours`: this run set the state. `refused` are addressees whom its mail does not tell.
    """
    if item.state not in RECORDED_AS:
        return
    action, outcome = RECORDED_AS[item.state]
    decided = of_policy(policy)
    facts = {**_of_state(item, detail), "reasons": reasons, **decided}
    if not ours and is_audited(context, item, action):
        if item.state is DeliveryState.SENT:
            run.audit(AuditAction.ALREADY_SENT, AuditOutcome.OK, **facts)
        return
    final = item.state in (DeliveryState.SENT, DeliveryState.SUPPRESSED)
    entries = [
        run.entry(AuditAction.SUPPRESSED, AuditOutcome.SUPPRESSED, **of_refused(item, one))
        for one in (refused if ours and final else ())
    ]
    if item.state is DeliveryState.SENT:
        if ours and detail.reduced:
            details.report(context, detail, item.recipient_ref, item.endpoint_ref)
            run.count("ReducedDetail")
        entries += [
            run.entry(
                AuditAction.TOLD_TOO,
                outcome,
                **{**told_too(item, other), **decided, "detail": detail.level},
            )
            for other in item.also
        ]
    run.audit_of(item.event_id, *entries, run.entry(action, outcome, **facts))
    if item.state in COUNTED_AS:
        run.count(COUNTED_AS[item.state])


def _of_state(item: DeliveryItem, detail: Detail) -> dict[str, Any]:
    """The members of an entry about a delivery that its state has."""
    facts = {
        **item.audit_members,
        "documents": (item.document,) if item.document else (),
        "about": item.updates or None,
        "ses_message_id": item.ses_message_id,
        "reduced": detail.reduced,
    }
    match item.state:
        case DeliveryState.SENT:
            facts["detail"] = detail.level
        case DeliveryState.REFUSED:
            facts |= {"error_name": DeliveryRefusedError.__name__, "error": item.reason}
        case DeliveryState.SUPPRESSED:
            facts["suppressed_because"] = item.reason
        case DeliveryState.HELD:
            facts |= {"hold_reason": item.hold_reason, "release_at": item.release_at}
    return facts


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
