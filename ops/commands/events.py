"""`ens events`: lists the newest events, or those with warnings."""

from dataclasses import asdict
from datetime import datetime

import click
from rich.table import Table
from rich.text import Text

from hl7.warnings import WarningCode
from lambdas.common.contracts.workflow.status import EventStatus
from ops.commands.options import DAY, DAY_SHOWN
from ops.events import warned
from ops.events.trail import EventSummary
from ops.events.warned import WarnedEvent, WarnedEvents
from ops.output import STATUS_STYLES, clock, console, print_json, short_clock, table, words
from ops.session import Session, pass_session

POSITIONS = 3
"""Positions of one kind of warning that a line shows."""


@click.command("events", epilog="Example: ens events --status FAILED --sender northgen")
@click.option(
    "--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="Most events."
)
@click.option(
    "--status",
    "state",
    type=click.Choice([str(one) for one in EventStatus], case_sensitive=False),
    default=None,
    help="Only events with this status.",
)
@click.option("--day", type=DAY, metavar=DAY_SHOWN, help="Only that day (UTC).")
@click.option("--sender", default="", help="Only of this sender, by its file's name.")
@click.option("--warnings", is_flag=True, help="Only events with warnings, with kind and position.")
@click.option(
    "--kind",
    type=click.Choice(sorted(code.value for code in WarningCode)),
    metavar="KIND",
    help="With --warnings: only this kind, such as no_offset.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@pass_session
def events_command(
    session: Session,
    *,
    limit: int,
    state: str | None,
    day: datetime | None,
    sender: str,
    warnings: bool,
    kind: str | None,
    as_json: bool,
) -> None:
    """Lists events, newest first, with their outcome.

    Without --day: those of the last 14 days.
    """
    if state and warnings:
        raise click.UsageError("--status and --warnings exclude each other.")
    if kind and not warnings:
        raise click.UsageError("--kind needs --warnings.")
    one_day = day.strftime("%Y-%m-%d") if day else ""
    when = f"on {one_day}" if one_day else "in the last 14 days"
    if warnings:
        found_warned = warned.newest(
            session.context, limit, day=one_day, sender=sender, kind=kind or ""
        )
        _show_warned(found_warned, when, as_json)
        return
    found = session.trail.recent(limit, one_day, (state or "").upper(), sender)
    if as_json:
        print_json(found)
        return
    out = console()
    if not found:
        of_sender = f" of {sender}" if sender else ""
        out.print(f"No {state or ''} events{of_sender} {when}.".replace("  ", " "))
        return
    out.print(_table(found))


def _show_warned(found: WarnedEvents, when: str, as_json: bool) -> None:
    if as_json:
        print_json([_document(event) for event in found.events])
        return
    out = console()
    out.print(
        _warned_table(found.events) if found.events else f"No events with such warnings {when}."
    )
    if found.read_until:
        out.print(
            f"\nStopped at {clock(found.read_until)} UTC after {warned.MAX_ENTRIES:,} entries:"
            " name an earlier day with --day."
        )


def _document(event: WarnedEvent) -> dict[str, object]:
    """The event as JSON, each warning with its sentence."""
    said = [{**asdict(one), "text": str(one)} for one in event.warnings]
    return {**asdict(event), "warnings": said}


def _warned_table(events: list[WarnedEvent]) -> Table:
    made = table("Event", "At UTC", "Sender", "Warnings")
    for event in events:
        kinds = "\n".join(
            f"{kind} {', '.join(filter(None, positions[:POSITIONS]))}{_more(positions)}".rstrip()
            for kind, positions in event.kinds().items()
        )
        made.add_row(event.event_id, short_clock(event.time), Text(event.sender), Text(kinds))
    return made


def _more(positions: list[str]) -> str:
    return f" and {len(positions) - POSITIONS} more" if len(positions) > POSITIONS else ""


def _table(events: list[EventSummary]) -> Table:
    made = table("Event", "Received UTC", "Status")
    for event in events:
        status = Text(event.status, style=STATUS_STYLES.get(event.status, ""))
        status.append(f" {event.error_name or _what(event)}", style="default")
        made.add_row(event.event_id, short_clock(event.received_at), status)
    return made


def _what(event: EventSummary) -> str:
    told = f"{event.told} notified" if event.told else event.note
    return ", ".join(words(part) for part in (event.event_kind, told) if part)
