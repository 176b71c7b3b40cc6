"""Writes the outcome of a delivery to the event's audit chain. Each fact is written once, by any run."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from lambdas.common.audit.forms import text_of
from lambdas.common.aws.items import Item
from lambdas.common.contracts.audit import AuditAction, AuditEntry, AuditOutcome
from lambdas.common.contracts.recipients.policy import PolicyDecision
from lambdas.common.contracts.recipients.recipient import RecipientReason
from lambdas.common.contracts.workflow.delivery_states import DeliveryState
from lambdas.common.errors import DeliveryRefusedError
from lambdas.common.function.handler import Run
from lambdas.delivery.context import DeliveryContext
from lambdas.delivery.decisions import detail as details
from lambdas.delivery.decisions.detail import Detail
from lambdas.delivery.ledger.decision import MailDecision, RefusedAddressee
from lambdas.delivery.ledger.entries import of_policy, of_refused, told_too
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

LEAVES_OUT = frozenset({DeliveryState.SENT, DeliveryState.SUPPRESSED, DeliveryState.UNKNOWN})
"""The states in which the addressees left out are audited. A mail in the state UNKNOWN may have gone without them."""

LEFT = {
    DeliveryState.SENT: AuditAction.TOLD_TOO,
    DeliveryState.UNKNOWN: AuditAction.UNKNOWN,
}
"""The states of a mail that left, or may have left, and the action of each other recipient's entry."""

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
    """Writes the audit entries of a delivery's state in one transaction, unless the chain has them.

    `ours`: this run set the state. `detail` and `policy` are used for a delivery without a decision in the
    ledger: the run that decided may have ended before it wrote the entries.
    """
    if item.state not in RECORDED_AS:
        return
    action, outcome = RECORDED_AS[item.state]
    decision = item.decision or MailDecision(policy=policy)
    if decision.detail is not None:
        detail = replace(detail, level=decision.detail, reduced=decision.reduced)
    decided = of_policy(decision.policy)
    facts = {**_of_state(item, detail), "reasons": reasons, **decided}

    def missing(written: list[Item]) -> list[AuditEntry]:
        # A mail is sent once. Another run may have found this one sent, and recorded it before this run.
        once = item.state is DeliveryState.SENT or not ours
        if once and is_audited(written, item, action):
            return []
        if item.state is DeliveryState.SENT:  # before the entry, which no later run writes again
            details.report(context, detail, item.recipient_ref, item.endpoint_ref)
        left_out = decision.refused if item.state in LEAVES_OUT else ()
        return [
            *(
                run.entry(AuditAction.SUPPRESSED, AuditOutcome.SUPPRESSED, **of_refused(item, one))
                for one in unaudited(written, item, left_out)
            ),
            *(
                run.entry(
                    LEFT[item.state],
                    outcome,
                    **{**told_too(item, other), **decided, "detail": detail.level},
                )
                for other in (item.also if item.state in LEFT else ())
            ),
            run.entry(action, outcome, **facts),
        ]

    if not run.audit_decided(item.event_id, missing):
        if item.state is DeliveryState.SENT and not ours:
            run.audit(AuditAction.ALREADY_SENT, AuditOutcome.OK, **facts)
        return
    if item.state is DeliveryState.SENT and detail.reduced:
        run.count("ReducedDetail")
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


def unaudited(
    written: Iterable[Item], item: DeliveryItem, refused: Iterable[RefusedAddressee]
) -> list[RefusedAddressee]:
    """The addressees without a SUPPRESSED entry about this delivery among the entries of its event."""
    audited = {
        text_of(entry, "recipient_ref")
        for entry in written
        if entry.get("action") == AuditAction.SUPPRESSED
        and entry.get("delivery_id") == item.delivery_id
    }
    return [one for one in refused if one.recipient_ref not in audited]


def is_audited(written: Iterable[Item], item: DeliveryItem, action: AuditAction) -> bool:
    """Whether the event's entries have this action of the delivery, also by the name of an older version."""
    return any(
        OLD_ACTIONS.get(known, known) == action and entry.get("delivery_id") == item.delivery_id
        for entry in written
        if (known := text_of(entry, "action"))
    )
