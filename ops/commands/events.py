"""`ens events`: lists the newest events."""

from datetime import datetime

import click
from rich.table import Table
from rich.text import Text

from ops.events.trail import EventSummary
from ops.output import STATUS_STYLES, console, print_json, short_clock, table, words
from ops.session import Session, pass_session

STATES = ("OPEN", "COMPLETED", "FAILED")


@click.command("events")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@click.option("--status", "state", type=click.Choice(STATES, case_sensitive=False), default=None)
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Only that day (UTC), YYYY-MM-DD.")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@pass_session
def events_command(
    session: Session, limit: int, state: str | None, day: datetime | None, as_json: bool
) -> None:
    """Lists events, newest first, of the last 14 days or one day (UTC)."""
    one_day = day.strftime("%Y-%m-%d") if day else ""
    found = session.trail.recent(limit, one_day, (state or "").upper())
    if as_json:
        print_json(found)
        return
    out = console()
    if not found:
        when = f"on {one_day}" if one_day else "in the last 14 days"
        out.print(f"No {state or ''} events {when}.".replace("  ", " "))
        return
    out.print(_table(found))


def _table(events: list[EventSummary]) -> Table:
    made = table("Event", "Received", "Status")
    for event in events:
        status = Text(event.status, style=STATUS_STYLES.get(event.status, ""))
        status.append(f" {event.error_name or _what(event)}", style="default")
        made.add_row(event.event_id, short_clock(event.received_at), status)
    return made


def _what(event: EventSummary) -> str:
    told = f"{event.told} notified" if event.told else event.note
    return ", ".join(words(part) for part in (event.event_kind, told) if part)
