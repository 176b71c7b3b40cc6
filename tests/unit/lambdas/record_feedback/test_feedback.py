"""The meaning of SES's events, and the recorded parts."""

from typing import Any

import pytest

from lambdas.record_feedback.feedback import MEANINGS, Feedback
from tests.support.ses_events import ses_event

EVENT_ID, DELIVERY_ID = "5e" * 16, "d1" * 16


def detail(event_type: str, **part: Any) -> dict[str, Any]:
    found: dict[str, Any] = ses_event(event_type, EVENT_ID, DELIVERY_ID, **part)["detail"]
    return found


@pytest.mark.parametrize(
    ("event_type", "action", "kind", "happened_at"),
    [
        ("Send", "SENT", "", "2026-11-23T13:12:01.000Z"),
        ("Delivery", "DELIVERED", "", "2026-11-23T13:12:05.000Z"),
        ("DeliveryDelay", "DELAYED", "MailboxFull", "2026-11-23T13:22:05.000Z"),
        ("Bounce", "BOUNCED", "Permanent", "2026-11-23T13:12:06.000Z"),
        ("Complaint", "COMPLAINED", "", "2026-11-23T15:00:00.000Z"),
        ("Reject", "REJECTED", "", "2026-11-23T13:12:01.000Z"),
        ("Rendering Failure", "FAILED", "", "2026-11-23T13:12:01.000Z"),
    ],
)
def test_each_event_is_read_as_what_it_says(
    event_type: str, action: str, kind: str, happened_at: str
) -> None:
    feedback = Feedback.from_detail(detail(event_type))
    assert feedback is not None
    assert feedback.meaning.action == action
    assert (feedback.detail_code, feedback.happened_at) == (kind, happened_at)
    assert (feedback.event_id, feedback.delivery_id) == (EVENT_ID, DELIVERY_ID)
    assert feedback.mark == f"{action}#{happened_at}"


@pytest.mark.parametrize("event_type", MEANINGS)
def test_no_address_and_no_text_of_a_server_is_kept(event_type: str) -> None:
    kept = repr(Feedback.from_detail(detail(event_type)))
    for private in ("clinic.example", "Petra", "Okonjo", "smtp"):
        assert private not in kept


def test_a_word_that_is_on_no_list_of_ours_is_not_kept() -> None:
    feedback = Feedback.from_detail(detail("Bounce", bounceType="Petra Lindqvist"))
    assert feedback is not None
    assert feedback.detail_code == ""


def test_a_report_that_a_mail_is_no_spam_is_no_complaint() -> None:
    """RFC 6430: a reader took the mail out of the spam folder."""
    assert Feedback.from_detail(detail("Complaint", complaintFeedbackType="not-spam")) is None
    assert Feedback.from_detail(detail("Complaint", complaintFeedbackType="abuse")) is not None


def test_two_delays_are_two_events_and_one_delay_twice_is_one() -> None:
    first, again = (Feedback.from_detail(detail("DeliveryDelay")) for _ in range(2))
    later = Feedback.from_detail(detail("DeliveryDelay", timestamp="2026-11-23T14:00:00.000Z"))
    assert first is not None
    assert again is not None
    assert later is not None
    assert first.mark == again.mark != later.mark


@pytest.mark.parametrize("missing", ["tags", "mail", "eventType"])
def test_an_event_that_is_not_about_a_delivery_of_ours_is_none(missing: str) -> None:
    about = detail("Delivery")
    about.pop(missing, None) or about["mail"].pop(missing)
    assert Feedback.from_detail(about) is None


def test_opens_and_clicks_mean_nothing_here() -> None:
    assert Feedback.from_detail({**detail("Delivery"), "eventType": "Open"}) is None
