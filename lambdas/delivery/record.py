"""What became of a delivery, into the event's audit chain: each fact once, whichever run says it."""

from collections.abc import Sequence

from lambdas.common.audit import chain
from lambdas.common.aws.items import Item
from lambdas.common.deliveries import HELD, REFUSED, SENT, UNKNOWN, WITHHELD
from lambdas.common.errors import DeliveryRefusedError
from lambdas.common.handler import Run
from lambdas.delivery import detail as details
from lambdas.delivery.detail import Detail
from lambdas.delivery.ledger import Delivery

RECORDED_AS = {
    SENT: ("SENT", "ok"),
    REFUSED: ("REFUSED", "refused"),
    UNKNOWN: ("UNKNOWN", "unknown"),
    HELD: ("HELD", "held"),
    WITHHELD: ("WITHHELD", "withheld"),
}


def of_delivery(
    run: Run,
    delivery: Delivery,
    reasons: Sequence[str],
    item: Item,
    *,
    ours: bool,
    detail: Detail,
) -> None:
    """Writes the audit entry of what the ledger says, unless it stands there already."""
    state = item["state"]
    if state not in RECORDED_AS:
        return
    action, outcome = RECORDED_AS[state]
    facts = {
        "recipient_ref": delivery.recipient_ref,
        "reasons": list(reasons),
        "channel": delivery.channel,
        "delivery_id": delivery.delivery_id,
        "documents": [item["document"]] if "document" in item else [],
        "patient_ref": delivery.patient_ref,
        "encounter_ref": delivery.encounter_ref,
        "ses_message_id": item.get("ses_message_id"),
        "error_name": DeliveryRefusedError.__name__ if state == REFUSED else None,
        "error": item.get("reason") if state == REFUSED else None,
        "detail": detail.level if state == SENT else None,
        "reduced": detail.reduced or None,
        "withheld_because": item.get("reason") if state == WITHHELD else None,
        "hold_reason": item.get("hold_reason") if state == HELD else None,
        "release_at": item.get("release_at") if state == HELD else None,
    }
    if ours or not _audited(delivery, action):
        if ours and state == SENT and detail.reduced:
            details.report(detail, delivery.recipient_ref, item.get("endpoint_ref", ""))
            run.count("ReducedDetail")
        run.audit(action, outcome, **facts)
        if state == UNKNOWN:
            run.count("UnknownDelivery")
        if state == HELD:
            run.count("HeldDelivery")
    elif state == SENT:
        run.audit("ALREADY_SENT", "ok", **facts)


def _audited(delivery: Delivery, action: str) -> bool:
    return any(
        entry["action"] == action and entry.get("delivery_id") == delivery.delivery_id
        for entry in chain.entries(delivery.event_id)
    )
