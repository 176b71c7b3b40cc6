"""One delivery from start to end: prepared, claimed, sent, recorded. In delivery the ledger is the truth.

A run may die between any two lines of `deliver`; the next one finds in the ledger how far it came.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from botocore.exceptions import ClientError

from lambdas.common import deliveries
from lambdas.common.clock import milliseconds_since, now
from lambdas.common.deliveries import CLAIMED, HELD, SENDING
from lambdas.common.errors import (
    ConfigurationError,
    DeliveryRefusedError,
    DependencyUnavailableError,
)
from lambdas.common.items import Item
from lambdas.common.keys import reference_keys
from lambdas.common.log import Result, Run, Task
from lambdas.common.models import Identities, Recipient
from lambdas.deliver_notification import holding, ledger, mailer, rate, record
from lambdas.deliver_notification.detail import Detail, detail_for
from lambdas.deliver_notification.ledger import Delivery
from lambdas.deliver_notification.material import identities_of, letter_for

LATEST_START_MS = 2_500
"""A send that starts later could outlive the function and leave an unknown: the next run is warm."""

BAD_ADDRESS = "the registry's address for the recipient is not one"
BAD_ENDPOINT = "the recipient's address bounced or complained before"


def deliver(task: Task, run: Run) -> Result:
    """Makes one delivery at most once, records it, and returns its recipient, outcome and id.

    The outcome is `sent`, `unknown` (it may have gone; not repeated) or `held` (it goes later; a task
    with `released` is that later). Raises `DeliveryRefusedError` when this recipient's address or
    content is refused for good, and `DependencyUnavailableError` or `ConfigurationError` when
    nothing was sent.
    """
    identities = identities_of(run.event_id, task)
    recipient = _recipient(identities, task["recipient_ref"])
    delivery = delivery_of(task, run, recipient)
    found = deliveries.read(delivery.delivery_id)
    attempt = uuid.uuid4().hex
    detail = detail_for(recipient)
    item = (
        found
        if found and _settled(found, task)
        else _Attempt(task, run, delivery, identities, recipient, detail, attempt).made()
    )
    ours = item["attempt_id"] == attempt
    record.of_delivery(run, delivery, recipient.reasons, item, ours=ours, detail=detail)
    if item["state"] == deliveries.REFUSED:
        raise DeliveryRefusedError(item.get("reason", "ses refused it after taking it"))
    return {
        "recipient_ref": delivery.recipient_ref,
        "outcome": item["state"],
        "delivery_id": delivery.delivery_id,
    }


def _settled(found: Item, task: Task) -> bool:
    """Whether there is nothing left to do: a held one waits for its release."""
    if found["state"] == HELD:
        return not task.get("released")
    return found["state"] not in (CLAIMED, SENDING)


def _recipient(identities: Identities, recipient_ref: str) -> Recipient:
    for recipient in (*identities.recipients, *identities.fallbacks):
        if recipient.recipient_ref == recipient_ref:
            return recipient
    raise LookupError("identities.json does not hold this recipient")


def delivery_of(task: Task, run: Run, recipient: Recipient) -> Delivery:
    """The delivery, with what a release or a fallback later needs to make it again: ids and codes."""
    parsed, identities = task["parsed"], task["identities"]
    return Delivery(
        event_id=run.event_id,
        recipient_ref=recipient.recipient_ref,
        channel=recipient.channel,
        patient_ref=identities["patient_ref"],
        encounter_ref=parsed["encounter_ref"],
        facts={
            "kind": parsed.get("kind", ""),
            "identities_version": identities["version_id"],
            "endpoint_ref": reference_keys().reference("address", recipient.address.casefold()),
            "fallback_ref": recipient.fallback_ref,
            "task": {
                "envelope": {"event_id": run.event_id, "sender": run.sender},
                "parsed": {
                    name: parsed[name]
                    for name in ("encounter_ref", "version_id", "kind")
                    if name in parsed
                },
                "identities": dict(identities),
                "clinical": {
                    name: task["clinical"][name]
                    for name in ("outcome", "version_id")
                    if name in task["clinical"]
                },
            },
        },
    )


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One run's try at a delivery, under the id by which the ledger knows it."""

    task: Task
    run: Run
    delivery: Delivery
    identities: Identities
    recipient: Recipient
    detail: Detail
    attempt_id: str

    def made(self) -> Item:
        """The ledger's item after it; the mail is ready before anything is claimed."""
        delivery, attempt, released = self.delivery, self.attempt_id, self._released
        if refusal := _refusal(self.recipient, delivery):
            return self._refused(refusal)
        reason, until = why_held(self.recipient, released)
        if reason:
            item = ledger.claim(delivery, attempt, released)
            held = item["state"] == CLAIMED
            return ledger.hold(delivery, attempt, reason, until) if held else item
        prepared = letter_for(self.run, self.task, self.identities, self.recipient, self.detail)
        address = self.recipient.address
        mail, document = prepared.stored(delivery.event_id, delivery.delivery_id, address)
        if milliseconds_since(self.run.started_at) > LATEST_START_MS:
            raise DependencyUnavailableError("too late in this run to begin a send")
        item = ledger.claim(delivery, attempt, released)
        if item["state"] != CLAIMED:
            return item
        if not rate.may_send(released):
            return ledger.hold(delivery, attempt, holding.RATE, now())
        ledger.begin_sending(delivery, attempt, document)
        return send(delivery, attempt, mail, address)

    @property
    def _released(self) -> bool:
        return bool(self.task.get("released"))

    def _refused(self, reason: str) -> Item:
        """The item as refused; the directory's fallback first, so that a crash loses nobody."""
        item = ledger.claim(self.delivery, self.attempt_id, self._released)
        if item["state"] != CLAIMED:
            return item
        deliveries.tell_instead(item)
        return ledger.refuse(self.delivery, self.attempt_id, reason)


def why_held(recipient: Recipient, released: bool) -> tuple[str, str]:
    """Why this delivery waits and until when; two "" when it goes now."""
    if (deliveries.read(deliveries.SWITCH) or {}).get("state") == deliveries.PAUSED:
        return holding.SWITCHED_OFF, now()
    return ("", "") if released else holding.hold_for(recipient, datetime.now(UTC))


def _refusal(recipient: Recipient, delivery: Delivery) -> str:
    if not mailer.is_address(recipient.address):
        return BAD_ADDRESS
    known = deliveries.read(deliveries.endpoint_key(delivery.facts["endpoint_ref"]))
    return BAD_ENDPOINT if known and known["state"] == deliveries.ENDPOINT_BAD else ""


def send(delivery: Delivery, attempt: str, mail: bytes, address: str) -> Item:
    """The item after SES answered, or did not; the delivery is in `sending`, this attempt's."""
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
