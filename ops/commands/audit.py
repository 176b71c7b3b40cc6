"""`ens audit`: whether the audit trail is whole."""

from datetime import UTC, datetime

import click

from lambdas.common.audit import Verdict, verify
from ops import tables
from ops.output import console, count
from ops.problem import ProblemError
from ops.session import Session, pass_session


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
    # Bound first: the audit key's name comes from the deployment.
    trail = session.trail
    if event_id:
        if trail.event(event_id) is None:
            raise ProblemError(f"No event {event_id} is known in {session.environment}.")
        event_ids = [event_id]
    else:
        event_ids = tables.events_of_day((day or datetime.now(UTC)).strftime("%Y-%m-%d"))
    broken = sum(_report(verify(one)) for one in event_ids)
    out = console()
    if len(event_ids) != 1:
        out.print(f"{count(len(event_ids), 'event')} checked, {broken} with a broken chain.")
    if broken:
        raise click.exceptions.Exit(1)


def _report(verdict: Verdict) -> bool:
    """Prints one verdict; True when the chain is broken."""
    out = console()
    problems = list(verdict.problems)
    if not verdict.entries:
        problems.append("no entry of it is left, though the event was processed")
    said = count(verdict.entries, "entry", "entries")
    if verdict.outside_chain:
        said += f", {verdict.outside_chain} outside (workflow)"
    mark = "[bold red]broken[/bold red]" if problems else "[green]holds[/green]"
    out.print(f"{verdict.event_id}  {mark}  {said}")
    for problem in problems:
        out.print(f"  [red]{problem}[/red]")
    return bool(problems)
