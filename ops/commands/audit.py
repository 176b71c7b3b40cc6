"""`ens audit`: whether the audit trail is whole."""

from datetime import UTC, datetime

import click

from lambdas.common import status
from lambdas.common.audit.chain import Verdict, verify
from lambdas.common.clock import milliseconds_since
from lambdas.delivery.ledger.context import LedgerContext
from ops.events import tables
from ops.output import console, count
from ops.problem import ProblemError
from ops.session import Session, pass_session

JUST_BEGUN_MS = 60_000
"""Longer than ParseMessage takes: an older event without an entry is one whose entries are gone."""


@click.group("audit")
def audit_group() -> None:
    """Checks the audit trail."""


@audit_group.command("verify")
@click.argument("event_id", required=False, metavar="[EVENT_ID]")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Every event of a day (UTC).")
@pass_session
def verify_command(session: Session, event_id: str | None, day: datetime | None) -> None:
    """Says whether hash chains hold: of one event, or of all events of a day (today).

    Exit code 1 when an entry is missing or altered.
    """
    if event_id and day:
        raise click.UsageError("Name one EVENT_ID or a --day, not both.")
    trail = session.trail
    if event_id:
        if trail.event(event_id) is None:
            raise ProblemError(f"No event {event_id} is known in {session.environment}.")
        event_ids = [event_id]
    else:
        event_ids = tables.events_of_day(
            session.context, (day or datetime.now(UTC)).strftime("%Y-%m-%d")
        )
    broken = sum(_report(session.context, verify(session.context, one)) for one in event_ids)
    out = console()
    if len(event_ids) != 1:
        out.print(f"{count(len(event_ids), 'event')} checked, {broken} with a broken chain.")
    if broken:
        raise click.exceptions.Exit(1)


def _report(context: LedgerContext, verdict: Verdict) -> bool:
    """Prints one verdict; True when the chain is broken."""
    out = console()
    problems = list(verdict.problems)
    if not verdict.entries:
        if _has_just_begun(context, verdict.event_id):
            out.print(f"{verdict.event_id}  [yellow]begun[/yellow]  no entry yet")
            return False
        problems.append("no entry of it is left, though the event was processed")
    said = count(verdict.entries, "entry", "entries")
    if verdict.outside_chain:
        said += f", {verdict.outside_chain} outside (workflow)"
    mark = "[bold red]broken[/bold red]" if problems else "[green]holds[/green]"
    out.print(f"{verdict.event_id}  {mark}  {said}")
    for problem in problems:
        out.print(f"  [red]{problem}[/red]")
    return bool(problems)


def _has_just_begun(context: LedgerContext, event_id: str) -> bool:
    """Whether ParseMessage may still be at work on it: it opens the event before it audits it."""
    found = status.read(context, event_id)
    return (
        found is not None
        and found["status"] == status.OPEN
        and milliseconds_since(found["updated_at"]) < JUST_BEGUN_MS
    )
