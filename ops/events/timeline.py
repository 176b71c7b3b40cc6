"""Derives the timeline of steps and each recipient's outcome from an event's audit entries."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from lambdas.common.contracts.audit import AuditAction, AuditOutcome
from ops.audit.principal import name_of_actor

Entry = dict[str, Any]
"""An audit entry as the table holds it (`lambdas.common.contracts.audit.AuditEntry`)."""


class RecipientOutcome(StrEnum):
    """The outcome of a recipient's delivery so far. NOT_TRIED: before the first attempt."""

    NOT_TRIED = ""
    SENT = "sent"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    HELD = "held"
    SUPPRESSED = "suppressed"
    FAILED = "failed"


class MailOutcome(StrEnum):
    """The outcome of a sent mail, as an SES event reports it."""

    DELIVERED = "delivered"
    DELAYED = "delayed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    REJECTED = "rejected"


DELIVERY_OUTCOMES = {
    **{AuditAction[outcome.name]: outcome for outcome in RecipientOutcome if outcome},
    AuditAction.ALREADY_SENT: RecipientOutcome.SENT,
    # The word of earlier versions.
    AuditAction.WITHHELD: RecipientOutcome.SUPPRESSED,
    AuditAction.RESENT: RecipientOutcome.HELD,
}
FEEDBACK_OUTCOMES = {AuditAction[outcome.name]: outcome for outcome in MailOutcome}
QUIET_ENDINGS = frozenset(
    {
        AuditOutcome.DUPLICATE,
        AuditOutcome.NOT_NOTIFIABLE,
        AuditOutcome.NO_RECIPIENT,
        AuditOutcome.UNKNOWN_PATIENT,
    }
)
# MSH-10 is the sender's text and may hold patient data. The others are keys of the table and its chain.
NOT_SHOWN = frozenset(
    {"message_control_id", "sk", "day", "outcome_time", "prev_hash", "key_id", "expires_at"}
)


@dataclass(frozen=True, slots=True)
class Step:
    """All attempts of one step in one run of the workflow.

    `run` counts executions from 1. It is 0 for entries without an execution (operators, SES events).
    `offset_ms` counts from the event's first entry. `duration_ms` is None if it was not measured. `by`
    is the AWS principal of an operator's act, "" for the system.
    """

    name: str
    run: int
    action: str
    outcome: str
    started_at: str
    offset_ms: int
    duration_ms: int | None
    attempts: int
    recipient_ref: str = ""
    error_name: str = ""
    error: str = ""
    by: str = ""


WITHDRAWN = "withdrawn before it was told"
"""The reason in words where an entry holds the id of the event that withdrew the notice."""

EVENT_ID_CHARACTERS = 32


@dataclass(frozen=True, slots=True)
class FeedbackTrace:
    """An SES event about a notification."""

    outcome: MailOutcome
    time: str


@dataclass(frozen=True, slots=True)
class RecipientTrace:
    """One recipient by reference: reasons of the choice, outcome of the delivery, SES events.

    `hold_reason` and `release_at` (ISO 8601, UTC) are those of the last hold, "" without one. `policy`
    is the rule of the policy's decision, with the reason for which it suppressed the notification, or
    the parts left out. `suppressed_because` is the reason of a suppression, the policy's or another.
    """

    recipient_ref: str
    reasons: list[str] = field(default_factory=list)
    outcome: RecipientOutcome = RecipientOutcome.NOT_TRIED
    feedback: list[FeedbackTrace] = field(default_factory=list)
    delivery_id: str = ""
    hold_reason: str = ""
    release_at: str = ""
    policy: str = ""
    suppressed_because: str = ""


def event_kind(entries: list[Entry]) -> str:
    """Returns the event kind (admission, discharge …) as it was decided, "" before that.

    The kind in a delivery's entry is that of one recipient's notice.
    """
    kinds = [e["event_kind"] for e in entries if e.get("event_kind") and "recipient_ref" not in e]
    return kinds[-1] if kinds else ""


def note(entries: list[Entry]) -> str:
    """Returns the reason for which the newest run notified nobody, "" if it notified somebody.

    The reason is the decision's (`bed_move`, `duplicate` …), `suppressed` for the policy's, else the
    outcome (`no_recipient` …).
    """
    last = entries[-1].get("execution_arn") if entries else None
    found = [e for e in entries if e.get("execution_arn") == last and e["outcome"] in QUIET_ENDINGS]
    if not found:
        return ""
    if any(one.get("policy_rule") for one in found[-1].get("considered", [])):
        return AuditOutcome.SUPPRESSED.value
    reason: str = found[-1].get("decision_reason") or found[-1]["outcome"]
    return reason


def received_at(entries: list[Entry]) -> str:
    """Returns the time when the receiver stored the message, "" if no entry has it."""
    return next((e["received_at"] for e in entries if e.get("received_at")), "")


def presentable(entry: Entry) -> Entry:
    """Returns the audit entry without the table's keys and without MSH-10."""
    return {name: value for name, value in entry.items() if name not in NOT_SHOWN}


def timeline(entries: list[Entry]) -> list[Step]:
    """Returns the steps in the order of their start. The time in the queue is the first."""
    runs: dict[str, int] = {}
    groups: dict[tuple[Any, ...], list[Entry]] = {}
    for entry in entries:
        execution = entry.get("execution_arn", "")
        if execution:
            runs.setdefault(execution, len(runs) + 1)
        # Retries of a step are grouped. An operator's action or an SES event is a group of its own.
        alone = "" if execution else entry.get("sk", "")
        key = (execution, entry["step"], entry.get("recipient_ref", ""), alone)
        groups.setdefault(key, []).append(entry)
    if not entries:
        return []
    received = received_at(entries)
    origin = min(
        filter(None, [received, *(_start(e) for e in entries)]), key=datetime.fromisoformat
    )
    steps = [_merged(group, runs.get(key[0], 0), origin) for key, group in groups.items()]
    steps.sort(key=lambda step: datetime.fromisoformat(step.started_at))
    return [*_wait(received, steps), *steps] if received else steps


def recipients(entries: list[Entry]) -> list[RecipientTrace]:
    """Returns all recipients of the event, in the order of their first entry.

    One who shares another's mail (`told_with`) has the outcome of that mail, unless they were left out of
    it or got a mail of their own.
    """
    found: dict[str, RecipientTrace] = {}
    shared: dict[str, str] = {}
    for entry in entries:
        for named in entry.get("recipients", []):
            found[named["recipient_ref"]] = _with(found, named["recipient_ref"], named)
            shared[named["recipient_ref"]] = named.get("told_with", "")
        for named in entry.get("considered", []):
            if named.get("policy_rule"):
                reference = named["recipient_ref"]
                found[reference] = RecipientTrace(
                    reference,
                    reasons=[named["relationship"]],
                    outcome=RecipientOutcome.SUPPRESSED,
                    policy=_policy(named, named["reason"]),
                    suppressed_because=named["reason"],
                )
        reference = entry.get("recipient_ref", "")
        if reference:
            found[reference] = _with(found, reference, entry)
    for reference, other in shared.items():
        mail, own = found.get(other), found[reference]
        left_out = own.outcome is RecipientOutcome.SUPPRESSED
        own_mail = mail is not None and own.delivery_id not in ("", mail.delivery_id)
        if mail and not (left_out or own_mail):
            found[reference] = replace(mail, recipient_ref=reference, reasons=own.reasons)
    return [_settled(recipient) for recipient in found.values()]


def _with(found: dict[str, RecipientTrace], reference: str, entry: Entry) -> RecipientTrace:
    """The recipient's trace after one more entry."""
    before = found.get(reference, RecipientTrace(reference))
    because = suppression_of(entry)
    action = entry.get("action", "")
    feedback = FEEDBACK_OUTCOMES.get(action)
    return RecipientTrace(
        recipient_ref=reference,
        reasons=list(entry.get("reasons") or before.reasons),
        outcome=DELIVERY_OUTCOMES.get(action, before.outcome),
        feedback=[*before.feedback, FeedbackTrace(feedback, entry["time"])]
        if feedback
        else before.feedback,
        delivery_id=entry.get("delivery_id") or before.delivery_id,
        hold_reason=entry.get("hold_reason") or before.hold_reason,
        release_at=entry.get("release_at") or before.release_at,
        policy=_policy(entry, because or ", ".join(entry.get("left_out") or ())) or before.policy,
        suppressed_because=because or before.suppressed_because,
    )


def suppression_of(entry: Entry) -> str:
    """The reason of a suppressed delivery, as a code or `WITHDRAWN`; "" for an entry of another kind."""
    reason: str = entry.get("suppressed_because") or ""
    return WITHDRAWN if len(reason) == EVENT_ID_CHARACTERS else reason


def _policy(named: Entry, effect: str) -> str:
    """The rule of a decision and its effect: `us-federal/part2-program (2026-02-16): PART2_NO_CONSENT`."""
    if not named.get("policy_rule") or not effect:
        return ""
    file, version = named.get("policy_file", ""), named.get("policy_version", "")
    rule = f"{file}/{named['policy_rule']} ({version})"
    consent = f", consent {named['consent_id']}" if named.get("consent_id") else ""
    return f"{rule}: {effect}{consent}"


def _settled(recipient: RecipientTrace) -> RecipientTrace:
    """Changes an unknown delivery to sent when SES reports its delivery or a complaint."""
    reported = {feedback.outcome for feedback in recipient.feedback}
    arrived = reported & {MailOutcome.DELIVERED, MailOutcome.COMPLAINED}
    if recipient.outcome is RecipientOutcome.UNKNOWN and arrived:
        return replace(recipient, outcome=RecipientOutcome.SENT)
    return recipient


def _wait(received: str, steps: list[Step]) -> list[Step]:
    """The time in the queue: from storing the message to the start of the first run."""
    begins = [step.started_at for step in steps if step.run == 1]
    waited = _milliseconds(received, min(begins, key=datetime.fromisoformat)) if begins else None
    return [Step("Queue", 0, "RECEIVED", "ok", received, 0, waited, 1)]


def _merged(group: list[Entry], run: int, origin: str) -> Step:
    last = group[-1]
    start = min((_start(e) for e in group), key=datetime.fromisoformat)
    measured = [e for e in group if e.get("duration_ms") is not None]
    ends = [_milliseconds(start, _start(e)) + e["duration_ms"] for e in measured]
    return Step(
        name=last["step"],
        run=run,
        action=last["action"],
        outcome=last["outcome"],
        started_at=start,
        offset_ms=_milliseconds(origin, start),
        duration_ms=max(ends) if ends else None,
        attempts=max(int(e.get("attempt", 0)) for e in group) + 1,
        recipient_ref=last.get("recipient_ref", ""),
        error_name=last.get("error_name", ""),
        error=last.get("error", ""),
        by=name_of_actor(last.get("actor", "")),
    )


def _start(entry: Entry) -> str:
    start: str = entry.get("started_at") or entry["time"]
    return start


def _milliseconds(start: str, end: str) -> int:
    elapsed = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    return max(0, round(elapsed.total_seconds() * 1000))
