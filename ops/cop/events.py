"""Derives the outcome of each notifiable event of a sender from its audit entries. Pure.

An event is told when one of its mails left and did not come back. Each event has one outcome, so that the
shares of a month add up to all its events.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from lambdas.common.contracts.audit import AuditAction
from lambdas.common.contracts.workflow.delivery_states import HoldReason
from ops.disclosures.records import OF_POLICY, RETURNS
from ops.events.timeline import Entry, suppression_of

NOBODY_RELATED = "no provider is related to the patient"
UNKNOWN_PATIENT = "unknown patient"


class EventOutcome(StrEnum):
    """The outcome of an event, the strongest first.

    TOLD: one provider at least. WAITING: held mails only. SUPPRESSED: by a policy, or because the hospital
    withdrew it first. NO_RECIPIENT: no provider to tell, or an unknown patient. OPEN: nothing else yet.
    """

    TOLD = "told"
    WAITING = "waiting"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    NO_RECIPIENT = "without recipient"
    OPEN = "open"


OWN_HOURS = frozenset({HoldReason.DIGEST, HoldReason.QUIET})
"""Holds that the recipient chose: CMS, FAQ on 482.24(d), permits a provider's preference."""

SENT = frozenset({AuditAction.SENT, AuditAction.ALREADY_SENT})
SUPPRESSED = frozenset({AuditAction.SUPPRESSED, AuditAction.WITHHELD})

ACTIONS = (
    *(AuditAction.DECIDED, AuditAction.NO_RECIPIENT, AuditAction.UNKNOWN_PATIENT),
    *(AuditAction.SENT, AuditAction.HELD, AuditAction.UNKNOWN, AuditAction.REFUSED),
    *(AuditAction.SUPPRESSED, AuditAction.WITHHELD, AuditAction.FAILED),
    *sorted(RETURNS),
)
"""The actions that decide an outcome. A delivery report of SES confirms a mail that counts already."""

MEMBERS = (
    *("event_id", "sk", "step", "actor", "action", "outcome", "started_at"),
    *("time", "event_kind", "event_time", "received_at"),
    *("recipient_ref", "delivery_id", "hold_reason", "suppressed_because", "considered"),
    *("error_name", "error"),
)
"""The members of an entry that are read, after those that every entry has."""


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One notifiable event with its outcome. Moments are ISO 8601, UTC, "" where there is none.

    `event_time` is the time of the fact by the message, `mailed_at` that of the first mail that stayed.
    `own_hours`: its recipient chose a daily summary or quiet hours. `reasons` are those of the outcome.
    `settled`: no later entry is expected; a held mail, an unconfirmed one or an error in processing may
    yet end otherwise.
    """

    event_id: str
    kind: str
    received_at: str
    outcome: EventOutcome
    event_time: str = ""
    mailed_at: str = ""
    own_hours: bool = False
    reasons: tuple[str, ...] = ()
    settled: bool = True


@dataclass(slots=True)
class _Mail:
    """One delivery: the time of sending, and the reason of its last state otherwise."""

    sent_at: str = ""
    returned: str = ""
    held: str = ""
    failed: str = ""
    suppressed: str = ""
    own_hours: bool = False
    unconfirmed: bool = False

    @property
    def stayed(self) -> bool:
        """Whether it was sent and did not come back."""
        return bool(self.sent_at) and not self.returned

    @property
    def went_wrong(self) -> bool:
        """Whether it came back, was refused, or may not have gone."""
        return bool(self.returned or self.failed)

    @property
    def waits(self) -> bool:
        """Whether it is held, and nothing came after that."""
        return bool(self.held) and not (self.went_wrong or self.suppressed or self.sent_at)


@dataclass(slots=True)
class _Event:
    """The entries of one event, gathered."""

    kind: str = ""
    received_at: str = ""
    event_time: str = ""
    mails: dict[str, _Mail] = field(default_factory=dict)
    considered: list[Entry] = field(default_factory=list)
    nobody: bool = False
    unknown_patient: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class EventFold:
    """Gathers entries of events, and gives the outcome of each."""

    _events: dict[str, _Event] = field(default_factory=dict)

    def add(self, entry: Entry) -> None:
        """Takes an entry in."""
        event = self._events.setdefault(entry["event_id"], _Event())
        action = entry["action"]
        if action == AuditAction.RECEIVED:
            event.received_at = event.received_at or entry.get("received_at") or ""
        elif action == AuditAction.DECIDED:
            if not event.kind:
                event.kind = entry.get("event_kind") or ""
                event.received_at = entry.get("received_at") or entry["time"]
                event.event_time = entry.get("event_time") or ""
        elif action == AuditAction.NO_RECIPIENT:
            event.nobody = True
            event.considered = list(entry.get("considered") or ())
        elif action == AuditAction.UNKNOWN_PATIENT:
            event.unknown_patient = True
        elif action == AuditAction.FAILED and not entry.get("recipient_ref"):
            event.error = entry.get("error_name") or "failed"
        elif entry.get("recipient_ref"):
            key = entry.get("delivery_id") or entry["recipient_ref"]
            _to_mail(event.mails.setdefault(key, _Mail()), entry)

    def records(self) -> dict[str, EventRecord]:
        """The notifiable events by id; not those of `undecided`."""
        return {key: _record(key, one) for key, one in self._events.items() if one.kind}

    def undecided(self) -> dict[str, tuple[str, str]]:
        """Time of receipt and error of each event that failed before anybody decided about it, by id.

        The time is "" where the entry RECEIVED was not added.
        """
        return {
            key: (one.received_at, one.error)
            for key, one in self._events.items()
            if one.error and not one.kind
        }


def _to_mail(mail: _Mail, entry: Entry) -> None:
    action = entry["action"]
    if action in SENT:
        mail.sent_at = min(filter(None, (mail.sent_at, entry["time"])))
    elif action in RETURNS:
        mail.returned = action.lower()
    elif action == AuditAction.HELD:
        mail.held = entry.get("hold_reason") or "held"
        mail.own_hours |= mail.held in OWN_HOURS
    elif action in SUPPRESSED:
        mail.suppressed = suppression_of(entry) or "suppressed"
    elif action == AuditAction.UNKNOWN:
        mail.failed = "sending not confirmed"
        mail.unconfirmed = True
    elif action == AuditAction.DELIVERED:
        # The mail of an unknown sending arrived.
        mail.sent_at = mail.sent_at or entry["time"]
    elif action in (AuditAction.REFUSED, AuditAction.FAILED):
        mail.failed = entry.get("error") or entry.get("error_name") or "refused"


def _record(event_id: str, event: _Event) -> EventRecord:
    stayed = [mail for mail in event.mails.values() if mail.stayed]
    first = min(stayed, key=lambda mail: mail.sent_at) if stayed else _Mail()
    outcome, reasons = _outcome(event, told=bool(stayed))
    return EventRecord(
        event_id,
        event.kind,
        event.received_at,
        outcome,
        event_time=event.event_time,
        mailed_at=first.sent_at,
        own_hours=first.own_hours,
        reasons=tuple(sorted(set(reasons))),
        settled=bool(stayed)
        or not (
            outcome in (EventOutcome.OPEN, EventOutcome.WAITING)
            or event.error
            or any(mail.unconfirmed for mail in event.mails.values())
        ),
    )


def _outcome(event: _Event, *, told: bool) -> tuple[EventOutcome, list[str]]:
    """The first outcome that has a reason; a mail's last state counts, so a held one that was refused has failed."""
    if told:
        return EventOutcome.TOLD, []
    mails = event.mails.values()
    considered = [one["reason"] for one in event.considered]
    policy = [one["reason"] for one in event.considered if one["reason"] in OF_POLICY]
    nobody = considered or [NOBODY_RELATED] if event.nobody else []
    found = {
        EventOutcome.WAITING: [mail.held for mail in mails if mail.waits],
        EventOutcome.FAILED: [mail.returned or mail.failed for mail in mails if mail.went_wrong],
        EventOutcome.SUPPRESSED: [mail.suppressed for mail in mails if mail.suppressed] or policy,
        EventOutcome.NO_RECIPIENT: nobody or ([UNKNOWN_PATIENT] if event.unknown_patient else []),
    }
    for outcome, reasons in found.items():
        if reasons:
            return outcome, reasons
    return (EventOutcome.FAILED, [event.error]) if event.error else (EventOutcome.OPEN, [])
