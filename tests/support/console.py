"""A console page for tests: trails and mails as they are on a busy day, no AWS behind them."""

from dataclasses import dataclass, field
from typing import Any

from lambdas.common.contracts.audit import LookedAt
from local.aws.mailbox import Mailbox
from local.console.looks import ConsoleLooks
from ops.encounters.stays import StayEvent, StaySource, StayTimeline
from ops.events.timeline import FeedbackTrace, MailOutcome, RecipientOutcome, RecipientTrace, Step
from ops.events.trail import EventSummary, EventTrail, TrailSource
from ops.queues.dead_letters import DeadLetter, DeadLetterPlace, DeadLetters

ADMITTED, FAILED, OPEN = "a1" * 16, "f2" * 16, "c3" * 16
MAIL_ID = "m-1"
HOSTILE = "<script>document.title='taken'</script>"
ARN = "arn:aws:states:us-east-1:123456789012:express:hl7-ens-local-patient-event:7f1c:2"

LETTER = """<!doctype html><html><head><style>h1 { color: rgb(1, 2, 3) }</style></head>
<body><h1 id="letter">Lena Brandt was admitted</h1><p style="color: rgb(4, 5, 6)" id="styled">Northtown General</p>
<script>document.getElementById("letter").textContent = "taken over"</script>
<img src="http://127.0.0.1:47999/pixel.png" alt=""></body></html>"""


def summary(event_id: str, state: str, **facts: Any) -> EventSummary:
    """A line of the list."""
    known = {
        "received_at": "2026-11-23T09:15:02.113Z",
        "updated_at": "2026-11-23T09:15:03.500Z",
        "sender": "northgen",
        "event_kind": "admission",
        "error_name": "",
        "failed_step": "",
        "told": 0,
        "note": "",
    }
    return EventSummary(event_id=event_id, status=state, **{**known, **facts})


def step(name: str, offset_ms: int, took_ms: int | None, **facts: Any) -> Step:
    """A step of the first run, unless told otherwise."""
    known = {"run": 1, "action": "PARSED", "outcome": "ok", "attempts": 1}
    started = f"2026-11-23T09:15:{2 + offset_ms // 1000:02}.{offset_ms % 1000:03}Z"
    return Step(
        name=name,
        started_at=started,
        offset_ms=offset_ms,
        duration_ms=took_ms,
        **{**known, **facts},
    )


def trail(event_id: str, state: str, **facts: Any) -> EventTrail:
    """An event in full."""
    known: dict[str, Any] = {
        "event_kind": "admission",
        "note": "",
        "sender": "northgen",
        "received_at": "2026-11-23T09:15:02.113Z",
        "updated_at": "2026-11-23T09:15:03.500Z",
        "error_name": "",
        "failed_step": "",
        "what_to_do": [],
        "steps": [step("Queue", 0, 34, run=0, action="RECEIVED"), step("ParseMessage", 34, 61)],
        "recipients": [],
        "execution_arn": ARN,
        "console_link": "",
        "entries": [
            {
                "event_id": event_id,
                "seq": 1,
                "time": "2026-11-23T09:15:02.200Z",
                "action": "RECEIVED",
                "actor": "lambda:ParseMessage",
                "outcome": "ok",
            }
        ],
    }
    return EventTrail(event_id=event_id, status=state, **{**known, **facts})


def _admitted() -> EventTrail:
    first, second = "k1." + "0f" * 16, "k1." + "9e" * 16
    return trail(
        ADMITTED,
        "COMPLETED",
        entries=[
            {"action": "DECIDED", "actor": "lambda:TrackEncounter", "encounter_ref": ADMITTED}
        ],
        steps=[
            step("Queue", 0, 34, run=0, action="RECEIVED"),
            step("ParseMessage", 34, 61),
            step("LookupIdentities", 96, 38, action="RESOLVED", attempts=2),
            step("ExtractEntities", 140, 412, action="EXTRACTED"),
            step("DeliverNotification", 560, 121, action="SENT", recipient_ref=first),
            step(
                "DeliverNotification",
                565,
                2003,
                action="UNKNOWN",
                outcome="unknown",
                recipient_ref=second,
            ),
            step("CompleteEvent", 2575, None, action="COMPLETED", outcome="completed"),
            step("RecordFeedback", 4100, 12, run=0, action="DELIVERED", recipient_ref=first),
        ],
        recipients=[
            RecipientTrace(
                first,
                ["primary_care", "named_in_message"],
                RecipientOutcome.SENT,
                [FeedbackTrace(MailOutcome.DELIVERED, "2026-11-23T09:15:06.200Z")],
            ),
            RecipientTrace(second, ["consulting"], RecipientOutcome.UNKNOWN),
        ],
        what_to_do=["The mail service did not say whether it took the notification."],
    )


def _failed() -> EventTrail:
    return trail(
        FAILED,
        "FAILED",
        event_kind="",
        sender=HOSTILE,
        error_name="UnprocessableMessageError",
        failed_step="ParseMessage",
        what_to_do=["Ask the sender for a corrected message, then `ens dlq redrive X`."],
        steps=[
            step("Queue", 0, 34, run=0, action="RECEIVED"),
            step(
                "ParseMessage",
                34,
                61,
                action="FAILED",
                outcome="failed",
                error_name="UnprocessableMessageError",
                error="PID is missing",
            ),
            step("Redrive", 9000, 4, run=0, action="REDRIVEN", by="R. Tester"),
            step("ParseMessage", 9100, 40, run=2, action="FAILED", outcome="failed"),
        ],
    )


class FakeStays(StaySource):
    """The stay of the admission, which came twice."""

    def __init__(self) -> None:
        """Needs no deployment."""

    def timeline(self, event_id: str) -> StayTimeline | None:
        """The stay, None for any other event."""
        if event_id != ADMITTED:
            return None
        told = _admitted().recipients
        return StayTimeline(
            encounter_id=ADMITTED,
            sender="northgen",
            phase="in",
            encounter_class="inpatient",
            closed_at="",
            patient_ref="k1." + "3c" * 16,
            protections=["PV1-16"],
            unchanged=4,
            events=[
                _stay_event(ADMITTED, notices=["admission"], recipients=told),
                _stay_event("b7" * 16, reason="duplicate"),
            ],
        )


def _stay_event(event_id: str, **facts: Any) -> StayEvent:
    known: dict[str, Any] = {"notices": [], "reason": "", "warnings": [], "recipients": []}
    moment = "2026-11-23T09:12:00.000Z"
    return StayEvent(
        event_id=event_id,
        trigger_event="A01",
        encounter_class="inpatient",
        at=moment,
        order=moment,
        **{**known, **facts},
    )


@dataclass
class FakeTrails(TrailSource):
    """A fixed set of events; what `recent` was asked for is kept."""

    events: list[EventSummary] = field(
        default_factory=lambda: [
            summary(OPEN, "OPEN", event_kind=""),
            summary(
                FAILED,
                "FAILED",
                event_kind="",
                sender=HOSTILE,
                error_name="UnprocessableMessageError",
                failed_step="ParseMessage",
            ),
            summary("d4" * 16, "COMPLETED", event_kind="ed_discharge", note="no_recipient"),
            summary(ADMITTED, "COMPLETED", told=1),
        ]
    )
    asked: list[int] = field(default_factory=list)

    def recent(
        self, limit: int = 20, day: str = "", state: str = "", sender: str = ""
    ) -> list[EventSummary]:
        """The first of the fixed events."""
        self.asked.append(limit)
        return self.events[:limit]

    def event(self, event_id: str) -> EventTrail | None:
        """The admission or the failure."""
        return {ADMITTED: _admitted(), FAILED: _failed()}.get(event_id)

    def dead_letters(self) -> DeadLetters:
        """The failure, on the queue."""
        letter = DeadLetter(
            FAILED,
            "UnprocessableMessageError",
            "ParseMessage",
            "2026-11-23T09:15:03.500Z",
            DeadLetterPlace.DEAD_LETTER,
        )
        return DeadLetters([letter], 1)


@dataclass
class FakeLooks(ConsoleLooks):
    """Collects the looks, or fails as an audit table does that cannot be written."""

    recorded: list[tuple[LookedAt, str]] = field(default_factory=list)
    failure: Exception | None = None

    def record(self, looked_at: LookedAt, looked_at_id: str) -> None:
        """Keeps the look, or raises the failure."""
        if self.failure:
            raise self.failure
        self.recorded.append((looked_at, looked_at_id))


class FakeMailbox(Mailbox):
    """One notification."""

    def list(self) -> list[dict[str, Any]]:
        """The one."""
        return [
            {
                "to": "petra.lindqvist@provider.example",
                "subject": "A patient of yours was admitted",
                "event_id": ADMITTED,
                "sent_at": "2026-11-23T09:15:02.800Z",
                "mail_id": MAIL_ID,
            }
        ]

    def get(self, mail_id: str) -> dict[str, Any] | None:
        """The one in full."""
        if mail_id != MAIL_ID:
            return None
        return {
            **self.list()[0],
            "headers": [
                ["From", "notifications@ens.example"],
                ["Message-ID", "<0f0f0f@ens.example>"],
                ["X-SES-CONFIGURATION-SET", "hl7-ens-local"],
            ],
            "text": "Lena Brandt was admitted\r\nto Northtown General.",
            "html": LETTER,
            "raw": "From: notifications@ens.example\r\n\r\n…",
        }
