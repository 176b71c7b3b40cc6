"""One delivery from start to end: prepared, claimed, sent, recorded. In delivery the ledger is the truth.

A run may die between any two lines of `deliver`; the next one finds in the ledger how far it came.
"""

import uuid
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common import audit, deliveries, vault
from lambdas.common.clock import milliseconds_since
from lambdas.common.deliveries import CLAIMED, REFUSED, SENDING, SENT, UNKNOWN
from lambdas.common.errors import (
    ConfigurationError,
    DeliveryRefusedError,
    DependencyUnavailableError,
)
from lambdas.common.items import Item
from lambdas.common.log import Result, Run, Task
from lambdas.common.models import ClinicalFindings, Identities, PatientEvent, Recipient
from lambdas.common.senders import sender_named
from lambdas.common.vault import Written
from lambdas.deliver_notification import ledger, mailer
from lambdas.deliver_notification.ledger import Delivery
from lambdas.deliver_notification.letter import compose

LATEST_START_MS = 2_500
"""A send that starts later could outlive the function and leave an unknown: the next run is warm."""

RECORDED_AS = {
    SENT: ("SENT", "ok"),
    REFUSED: ("REFUSED", "refused"),
    UNKNOWN: ("UNKNOWN", "unknown"),
}


def deliver(task: Task, run: Run) -> Result:
    """Makes one delivery at most once, records it, and returns its recipient, outcome and id.

    The outcome is `sent`, `unknown` (it may have gone; not repeated) or `held`. Raises
    `DeliveryRefusedError` when this recipient's address or content is refused for good, and
    `DependencyUnavailableError` or `ConfigurationError` when nothing was sent.
    """
    identities = Identities.from_dict(
        vault.read_document(run.event_id, "identities.json", task["identities"]["version_id"])
    )
    recipient = _recipient(identities, task["recipient_ref"])
    delivery = Delivery(
        event_id=run.event_id,
        recipient_ref=recipient.recipient_ref,
        channel=recipient.channel,
        patient_ref=task["identities"]["patient_ref"],
        encounter_ref=task["parsed"]["encounter_ref"],
    )
    found = deliveries.read(delivery.delivery_id)
    settled = found is not None and found["state"] not in (CLAIMED, SENDING)
    attempt = uuid.uuid4().hex
    item = found if found and settled else _attempt(task, run, delivery, recipient, attempt)
    _record(run, delivery, recipient, item, ours=item["attempt_id"] == attempt)
    if item["state"] == REFUSED:
        raise DeliveryRefusedError(item.get("reason", "ses refused it after taking it"))
    return {
        "recipient_ref": delivery.recipient_ref,
        "outcome": item["state"],
        "delivery_id": delivery.delivery_id,
    }


def _recipient(identities: Identities, recipient_ref: str) -> Recipient:
    for recipient in identities.recipients:
        if recipient.recipient_ref == recipient_ref:
            return recipient
    raise LookupError("identities.json does not hold this recipient")


def _attempt(task: Task, run: Run, delivery: Delivery, recipient: Recipient, attempt: str) -> Item:
    """The ledger's item after one attempt to send; the mail is ready before anything is claimed."""
    if not mailer.is_address(recipient.address):
        item = ledger.claim(delivery, attempt)
        return (
            ledger.refuse(delivery, attempt, "the registry's address for the recipient is not one")
            if item["state"] == CLAIMED
            else item
        )
    mail, document = _prepare(task, run, delivery, recipient)
    if milliseconds_since(run.started_at) > LATEST_START_MS:
        raise DependencyUnavailableError("too late in this run to begin a send")
    item = ledger.claim(delivery, attempt)
    if item["state"] != CLAIMED:
        return item
    ledger.begin_sending(delivery, attempt, document)
    return _send(delivery, attempt, mail, recipient.address)


def _prepare(
    task: Task, run: Run, delivery: Delivery, recipient: Recipient
) -> tuple[bytes, Written]:
    """The mail as the vault holds it: what the first attempt wrote is what every attempt sends."""
    patient_event = PatientEvent.from_dict(
        vault.read_document(run.event_id, "event.json", task["parsed"]["version_id"])
    )
    letter = compose(
        patient_event,
        _clinical(run.event_id, task["clinical"]),
        recipient,
        sender_named(run.sender),
    )
    mail = mailer.build(letter, recipient.address, delivery.delivery_id)
    return mailer.store(run.event_id, delivery.delivery_id, mail)


def _clinical(event_id: str, clinical: dict[str, Any]) -> ClinicalFindings:
    """What was found in the notes; without a document only that nothing could be."""
    if "version_id" not in clinical:
        return ClinicalFindings(outcome=clinical["outcome"])
    document = vault.read_document(event_id, "clinical.json", clinical["version_id"])
    return ClinicalFindings.from_dict(document)


def _send(delivery: Delivery, attempt: str, mail: bytes, address: str) -> Item:
    try:
        message_id = mailer.send(mail, address, delivery.event_id, delivery.delivery_id)
    except mailer.AmbiguousSendError:
        return ledger.park(delivery, attempt)
    except DeliveryRefusedError as refusal:
        return ledger.refuse(delivery, attempt, str(refusal))
    except (DependencyUnavailableError, ConfigurationError, ClientError):
        ledger.release(delivery, attempt)
        raise
    return ledger.confirm(delivery, attempt, message_id)


def _record(run: Run, delivery: Delivery, recipient: Recipient, item: Item, ours: bool) -> None:
    """Writes the audit entry of what the ledger says, unless it stands there already."""
    state = item["state"]
    if state not in RECORDED_AS:
        return
    action, outcome = RECORDED_AS[state]
    facts = {
        "recipient_ref": delivery.recipient_ref,
        "reasons": list(recipient.reasons),
        "channel": delivery.channel,
        "delivery_id": delivery.delivery_id,
        "documents": [item["document"]] if "document" in item else [],
        "patient_ref": delivery.patient_ref,
        "encounter_ref": delivery.encounter_ref,
        "ses_message_id": item.get("ses_message_id"),
        "error_name": DeliveryRefusedError.__name__ if state == REFUSED else None,
        "error": item.get("reason") if state == REFUSED else None,
    }
    if ours or not _audited(delivery, action):
        run.audit(action, outcome, **facts)
        if state == UNKNOWN:
            run.count("UnknownDelivery")
    elif state == SENT:
        run.audit("ALREADY_SENT", "ok", **facts)


def _audited(delivery: Delivery, action: str) -> bool:
    return any(
        entry["action"] == action and entry.get("delivery_id") == delivery.delivery_id
        for entry in audit.entries(delivery.event_id)
    )
