"""SES's events about a mail, as EventBridge hands them over; addresses and texts are invented.

Shapes: https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-examples.html
"""

import copy
from typing import Any

ADDRESS = "petra.lindqvist@clinic.example"
DIAGNOSTIC = "smtp; 550 5.1.1 mailbox of Petra Lindqvist is unknown"

_PARTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "Send": ("Email Sent", "send", {}),
    "Delivery": (
        "Email Delivered",
        "delivery",
        {
            "timestamp": "2026-11-23T13:12:05.000Z",
            "processingTimeMillis": 1025,
            "recipients": [ADDRESS],
            "smtpResponse": "250 2.0.0 OK Petra",
            "reportingMTA": "a8-21.smtp-out.amazonses.com",
        },
    ),
    "DeliveryDelay": (
        "Email Delivery Delayed",
        "deliveryDelay",
        {
            "timestamp": "2026-11-23T13:22:05.000Z",
            "delayType": "MailboxFull",
            "expirationTime": "2026-11-24T13:22:05.000Z",
            "delayedRecipients": [
                {"emailAddress": ADDRESS, "status": "4.2.2", "diagnosticCode": DIAGNOSTIC}
            ],
        },
    ),
    "Bounce": (
        "Email Bounced",
        "bounce",
        {
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "bouncedRecipients": [
                {
                    "emailAddress": ADDRESS,
                    "action": "failed",
                    "status": "5.1.1",
                    "diagnosticCode": DIAGNOSTIC,
                }
            ],
            "timestamp": "2026-11-23T13:12:06.000Z",
            "feedbackId": "0100018d-1234-abcd-ef01-234567890abc-000000",
        },
    ),
    "Complaint": (
        "Email Complaint Received",
        "complaint",
        {
            "complainedRecipients": [{"emailAddress": ADDRESS}],
            "timestamp": "2026-11-23T15:00:00.000Z",
            "complaintFeedbackType": "abuse",
        },
    ),
    "Reject": ("Email Rejected", "reject", {"reason": "Bad content"}),
    "Rendering Failure": (
        "Email Rendering Failed",
        "failure",
        {"templateName": "x", "errorMessage": "Attribute 'Okonjo' is not present"},
    ),
}


def ses_event(event_type: str, event_id: str, delivery_id: str, **part: Any) -> dict[str, Any]:
    """One event; `part` replaces members of the event's own part, such as `timestamp`."""
    detail_type, name, content = _PARTS[event_type]
    return {
        "version": "0",
        "id": "b2c3d4e5-f6a7-8901-bcde-f12345678901",
        "detail-type": detail_type,
        "source": "aws.ses",
        "account": "123456789012",
        "time": "2026-11-23T13:12:05Z",
        "region": "us-east-1",
        "resources": ["arn:aws:ses:us-east-1:123456789012:configuration-set/ens-test"],
        "detail": {
            "eventType": event_type,
            "mail": {
                "timestamp": "2026-11-23T13:12:01.000Z",
                "source": "notifications@ens.example",
                "messageId": "0100018d-mail-000000",
                "destination": [ADDRESS],
                "headersTruncated": False,
                "headers": [{"name": "To", "value": ADDRESS}],
                "commonHeaders": {"to": [ADDRESS], "subject": "Hospital admission"},
                "tags": {
                    "ses:configuration-set": ["ens-test"],
                    "delivery_id": [delivery_id],
                    "event_id": [event_id],
                },
            },
            name: {**copy.deepcopy(content), **part},
        },
    }
