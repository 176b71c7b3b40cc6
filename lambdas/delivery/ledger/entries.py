"""The members of audit entries that a delivery's item has, and the entries beside its own. Pure."""

from collections.abc import Callable, Collection, Iterator
from typing import Any

from lambdas.common.contracts.audit import AuditAction, AuditEntry, AuditOutcome
from lambdas.common.contracts.recipients.policy import PolicyDecision
from lambdas.delivery.ledger.decision import RefusedAddressee
from lambdas.delivery.ledger.items import DeliveryItem


def of_refused(item: DeliveryItem, one: RefusedAddressee) -> dict[str, Any]:
    """The members of the entry about an addressee whom a delivery's mail leaves out."""
    return {
        **item.audit_members,
        "recipient_ref": one.recipient_ref,
        "reasons": one.reasons,
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


def beside(
    item: DeliveryItem,
    known: Collection[tuple[str, str]],
    entry: Callable[..., AuditEntry],
    **facts: Any,
) -> Iterator[AuditEntry]:
    """Yields the entries of a sent mail for each addressee left out and for each further recipient.

    `known` has the action and the recipient of each entry that the chain already has about this delivery.
    `entry` makes an entry from action, outcome and members. `facts` are members of every entry.
    """
    for one in item.decision.refused if item.decision else ():
        if (AuditAction.SUPPRESSED, one.recipient_ref) not in known:
            members = facts | of_refused(item, one)
            yield entry(AuditAction.SUPPRESSED, AuditOutcome.SUPPRESSED, **members)
    for other in item.also:
        if (AuditAction.TOLD_TOO, other) not in known:
            members = facts | told_too(item, other) | decided(item)
            yield entry(AuditAction.TOLD_TOO, AuditOutcome.OK, **members)


def decided(item: DeliveryItem) -> dict[str, Any]:
    """The members of an entry from the delivery's decision; none for a delivery that an earlier version claimed."""
    if item.decision is None:
        return {}
    return {**of_policy(item.decision.policy), "detail": item.decision.detail}
