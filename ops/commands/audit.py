"""`ens audit`: verifies the hash chains of the audit trail."""

from datetime import UTC, datetime

import click

from lambdas.common import status
from lambdas.common.audit.chain import Verdict, verify
from lambdas.common.clock import milliseconds_since
from lambdas.common.contracts.status import EventStatus
from lambdas.delivery.ledger.context import LedgerContext
from ops.events import tables
from ops.output import console, count
from ops.problem import ProblemError
from ops.session import Session, pass_session

PARSE_MAX_MS = 60_000
"""Above ParseMessage's timeout. An older event without audit entries has lost them."""


@click.group("audit")
def audit_group() -> None:
    """Checks the audit trail, and answers from it."""


@audit_group.command("verify")
@click.argument("event_id", required=False, metavar="[EVENT_ID]")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Every event of a day (UTC).")
@pass_session
def verify_command(session: Session, event_id: str | None, day: datetime | None) -> None:
    """Verifies the hash chain of one event, or of all events of a day (default: today, UTC).

    The exit code is 1 when an entry is missing or altered.
    """
    if event_id and day:
        raise click.UsageError("Give an EVENT_ID or --day, not both.")
    trail = session.trail
    if event_id:
        if trail.event(event_id) is None:
            raise ProblemError(f"{session.environment} has no event {event_id}.")
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
    """Prints one verdict. Returns True when the chain is broken."""
    out = console()
    problems = list(verdict.problems)
    if not verdict.entries:
        if _may_be_parsing(context, verdict.event_id):
            out.print(f"{verdict.event_id}  [yellow]started[/yellow]  no entry yet")
            return False
        problems.append("the event was processed, but it has no audit entries")
    said = count(verdict.entries, "entry", "entries")
    if verdict.outside_chain:
        said += f", {verdict.outside_chain} not chained (workflow)"
    mark = "[bold red]broken[/bold red]" if problems else "[green]intact[/green]"
    out.print(f"{verdict.event_id}  {mark}  {said}")
    for problem in problems:
        out.print(f"  [red]{problem}[/red]")
    return bool(problems)


def _may_be_parsing(context: LedgerContext, event_id: str) -> bool:
    """Whether ParseMessage may still be running: it writes the status before the first audit entry."""
    found = status.read(context, event_id)
    return (
        found is not None
        and found.status is EventStatus.OPEN
        and milliseconds_since(found.updated_at) < PARSE_MAX_MS
    )
