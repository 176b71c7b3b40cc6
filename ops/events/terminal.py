"""Prints an event's trail: head, steps, recipients, advice, links."""

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from hl7.warnings import MessageWarning
from ops.events.timeline import Entry, RecipientOutcome, RecipientTrace, Step
from ops.events.trail import EventTrail
from ops.output import (
    OUTCOME_STYLES,
    STATUS_STYLES,
    clock,
    duration,
    sentence_case,
    table,
    words,
)

SHORT = 11


def show(trail: EventTrail, out: Console) -> None:
    """Prints the trail of one event."""
    _head(trail, out)
    out.print()
    out.print(_steps(trail.steps))
    if trail.recipients:
        out.print("\nRecipients", style="bold")
        for recipient in trail.recipients:
            _recipient(recipient, out)
    if warnings := _warnings(trail.entries):
        out.print("\nWarnings", style="bold")
        for text in warnings:
            out.print(Padding(text, (0, 0, 0, 2)))
    if trail.what_to_do:
        out.print("\nWhat to do", style="bold")
        for text in trail.what_to_do:
            out.print(Padding(text, (0, 0, 0, 2)))
    if trail.execution_arn:
        out.print("\nExecution", style="bold")
        out.print(f"  {trail.execution_arn}", soft_wrap=True)
    if trail.console_link:
        out.print(f"  {trail.console_link}", soft_wrap=True)


def _warnings(entries: list[Entry]) -> list[str]:
    """The warnings of the event's newest reading and look-up, each once, by field position."""
    newest = {entry["step"]: entry["warnings"] for entry in entries if entry.get("warnings")}
    found = (warning for warnings in newest.values() for warning in warnings)
    return list(dict.fromkeys(str(MessageWarning(**warning)) for warning in found))


def _head(trail: EventTrail, out: Console) -> None:
    status = trail.status or "UNKNOWN"
    style = STATUS_STYLES.get(status, "yellow")
    if not (trail.status or trail.received_at):
        # A chain that no message began: acts of operators, such as `switch#delivery` and `registry`.
        out.print(Text.assemble(("Audit", "bold"), f" {trail.event_id}"))
        out.print(f"From {clock(trail.entries[0]['time'])} UTC")
        return
    out.print(Text.assemble(("Event", "bold"), f" {trail.event_id}  ", (status, style)))
    what = sentence_case(words(trail.event_kind or trail.note) or "event")
    sender = f" from {trail.sender}" if trail.sender else ""
    out.print(f"{what}{sender}, received {clock(trail.received_at)} UTC")
    if trail.error_name:
        out.print(Text.assemble((trail.error_name, "red"), f" in {trail.failed_step}"))


def _steps(steps: list[Step]) -> Table:
    several = max((step.run for step in steps), default=0) > 1
    made = table(*([">Run"] if several else []), "Step", "Outcome", ">At", ">Took", ">Tries")
    for step in steps:
        cells = [
            Text(step.name),
            _outcome(step),
            Text(f"+{duration(step.offset_ms)}"),
            Text(duration(step.duration_ms)),
            Text(str(step.attempts) if step.run else ""),
        ]
        made.add_row(*([Text(str(step.run) if step.run else "")] if several else []), *cells)
    return made


def _outcome(step: Step) -> Text:
    said = step.action.lower() if step.outcome in ("ok", "unknown") else step.outcome
    text = Text(words(said), style=OUTCOME_STYLES.get(step.outcome, ""))
    for extra in (step.recipient_ref[:SHORT], step.error_name, step.by and f"by {step.by}"):
        if extra:
            text.append(f" {extra}", style="default")
    if step.error:
        text.append(f"\n{step.error}", style="default")
    return text


def _recipient(recipient: RecipientTrace, out: Console) -> None:
    outcome = recipient.outcome or "not tried"
    style = OUTCOME_STYLES.get(outcome, "default")
    why = ", ".join(words(reason) for reason in recipient.reasons) or "no reason recorded"
    held = recipient.outcome is RecipientOutcome.HELD and recipient.hold_reason
    until = f" until {clock(recipient.release_at)}" if held and recipient.release_at else ""
    reason = f" ({words(recipient.hold_reason)}{until})" if held else ""
    if recipient.outcome is RecipientOutcome.SUPPRESSED and recipient.suppressed_because:
        reason = f" ({words(recipient.suppressed_because.lower())})"
    out.print(Text.assemble(f"  {recipient.recipient_ref}  ", (outcome, style), f"{reason}  {why}"))
    if recipient.policy:
        out.print(f"    policy {recipient.policy}")
    for feedback in recipient.feedback:
        style = OUTCOME_STYLES.get(feedback.outcome, "default")
        out.print(Text.assemble("    ", (feedback.outcome, style), f" {clock(feedback.time)}"))
