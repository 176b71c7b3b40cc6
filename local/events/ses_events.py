"""Sends SES's events about a mail to the rules of the event bus, as EventBridge would.

Every mail is delivered at once, except to `@bounce.example`, where it bounces, and to
`@complaint.example`, whose reader complains.
https://docs.aws.amazon.com/ses/latest/dg/monitor-sending-using-event-publishing-setup.html
"""

import json
import logging
import queue
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from moto.events.models import events_backends

from lambdas.common.clock import now
from local.aws.clients import ACCOUNT, REGION
from local.aws.mailbox import AcceptedMail

Detail = dict[str, Any]

log = logging.getLogger(__name__)

RETRY_AFTER = (0.0, 0.5, 1.0, 2.0)

# eventType, and the detail-type under which EventBridge knows it.
DETAIL_TYPES = {
    "Send": "Email Sent",
    "Delivery": "Email Delivered",
    "Bounce": "Email Bounced",
    "Complaint": "Email Complaint Received",
}


def details(mail: AcceptedMail) -> Iterator[Detail]:
    """The details of the events that follow the acceptance of a mail, in order."""
    moment = now()
    recipients = [{"emailAddress": address} for address in mail.to]
    common = {
        "timestamp": moment,
        "messageId": mail.mail_id,
        "source": mail.sender,
        "sendingAccountId": ACCOUNT,
        "destination": list(mail.to),
        "tags": {
            **{name: [value] for name, value in mail.tags.items()},
            "ses:configuration-set": [mail.configuration_set],
        },
    }
    yield {"eventType": "Send", "mail": common, "send": {}}
    domains = {address.rpartition("@")[2] for address in mail.to}
    if "bounce.example" in domains:
        bounce = {
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "bouncedRecipients": recipients,
            "timestamp": moment,
        }
        yield {"eventType": "Bounce", "mail": common, "bounce": bounce}
        return
    delivery = {"timestamp": moment, "recipients": list(mail.to), "smtpResponse": "250 ok"}
    yield {"eventType": "Delivery", "mail": common, "delivery": delivery}
    if "complaint.example" in domains:
        complaint = {"complainedRecipients": recipients, "timestamp": moment}
        yield {"eventType": "Complaint", "mail": common, "complaint": complaint}


def bus_event(detail: Detail) -> Any:
    """A detail in EventBridge's envelope."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": DETAIL_TYPES[detail["eventType"]],
        "source": "aws.ses",
        "account": ACCOUNT,
        "time": now(),
        "region": REGION,
        "resources": [
            f"arn:aws:ses:{REGION}:{ACCOUNT}:configuration-set/"
            + detail["mail"]["tags"]["ses:configuration-set"][0]
        ],
        "detail": detail,
    }


class SesEvents:
    """Sends the events of accepted mails, one after the other, to the functions that a rule names."""

    def __init__(self, invoke: Callable[[str, bytes], tuple[bytes, bool]]) -> None:
        self._invoke = invoke
        self._waiting: queue.Queue[AcceptedMail | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begins to send."""
        self._thread.start()

    def accepted(self, mail: AcceptedMail) -> None:
        """Has the events of this mail sent soon."""
        self._waiting.put(mail)

    def stop(self) -> None:
        """Sends what is waiting, for a few seconds at most, then ends."""
        self._waiting.put(None)
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while (mail := self._waiting.get()) is not None:
            for detail in details(mail):
                event = bus_event(detail)
                for function in _functions_for(event):
                    self._send(function, json.dumps(event).encode())

    def _send(self, function: str, event: bytes) -> None:
        """Invokes the function until it takes the event, as EventBridge does, but not for a whole day."""
        for pause in RETRY_AFTER:
            time.sleep(pause)
            _, is_error = self._invoke(function, event)
            if not is_error:
                return
        log.error("%s failed %d times on an event of SES", function, len(RETRY_AFTER))


def _functions_for(event: Any) -> Iterator[str]:
    """The functions that rules of the default bus send this event to, by moto's reading of patterns.

    A scheduled rule has no pattern and matches no event; moto takes an empty pattern for any event.
    """
    rules = events_backends[ACCOUNT][REGION].event_buses["default"].rules.values()
    for rule in rules:
        pattern = rule.event_pattern
        if rule.state == "ENABLED" and pattern.get_pattern() and pattern.matches_event(event):
            for target in rule.targets:
                if ":function:" in target["Arn"]:
                    yield target["Arn"].rpartition(":")[2]
