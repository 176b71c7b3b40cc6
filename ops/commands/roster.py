"""`ens roster`: imports, lists and ends the rosters (patient panels) of subscribers."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import click
from rich.progress import Progress

from lambdas.common.contracts.audit import AuditAction, LookedAt
from lambdas.delivery.ledger.context import LedgerContext
from lambdas.registry.importing.columns import InvalidRegistryError
from lambdas.registry.importing.files import read_file
from lambdas.registry.records import ROSTER_SOON
from ops.audit.entry import audit_change
from ops.commands.registry import SHOWN, faults
from ops.master_data import rosters
from ops.master_data.rosters import RosterMember
from ops.output import console, count, print_json, table
from ops.problem import ProblemError
from ops.session import Session, pass_session


@dataclass(frozen=True, slots=True)
class RosterLine:
    """One roster in the list, without a patient."""

    subscriber: str
    patients: int
    until: str
    state: str


@click.group("roster")
def roster_group() -> None:
    """Imports, lists and ends rosters (patient panels)."""


@roster_group.command(
    "import", epilog="Example: ens roster import panel.csv --subscriber dr-lindqvist --replace"
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--subscriber", required=True, help="The provider's id in the registry.")
@click.option(
    "--days",
    default=rosters.DEFAULT_DAYS,
    show_default=True,
    type=click.IntRange(1, 366),
    help="Days that the roster is valid, including today.",
)
@click.option("--replace", is_flag=True, help="End it for patients who are not in the file.")
@click.option("--dry-run", is_flag=True, help="Print the plan and write nothing.")
@click.option("--yes", is_flag=True, help="Do not ask before it ends for anyone.")
@pass_session
def import_command(
    session: Session,
    *,
    file: Path,
    subscriber: str,
    days: int,
    replace: bool,
    dry_run: bool,
    yes: bool,
) -> None:
    """Puts the patients of FILE on a subscriber's roster.

    FILE is CSV or NDJSON with authority and value. Optional family and birth_date are compared with
    the registry. If one row is faulty, nothing is imported. Patients who are not in the registry are
    skipped and counted.
    """
    session.record_look(LookedAt.REGISTRY, session.command)
    name = session.deployment.output("RegistryTable")
    try:
        roster = rosters.read(session.context, name, subscriber, read_file(file))
    except InvalidRegistryError as error:
        raise faults(error) from None
    if replace and not roster.members:
        raise ProblemError(
            "No row names a patient of the registry, and --replace would end the whole roster: check the"
            f" file. `ens roster end {subscriber}` ends a roster."
        )
    out = console()
    until = (rosters.today() + timedelta(days=days - 1)).isoformat()
    if roster.unknown:
        lines = ", ".join(map(str, roster.unknown[:10]))
        out.print(f"Skipped, not in the registry: {count(len(roster.unknown), 'patient')}")
        out.print(f"  line {lines}{' …' if len(roster.unknown) > 10 else ''}")
    current = _current(session.context, name, subscriber)
    leaving = current - roster.members.keys() if replace else set()
    joining = len(roster.members.keys() - current)
    out.print(f"New on the roster: {joining}, again: {len(roster.members) - joining}.")
    if leaving:
        _show_leaving(session.context, leaving)
    if dry_run:
        out.print(
            f"Dry run: {count(len(roster.members), 'patient')} would be on the roster until {until}."
        )
        return
    if leaving and not yes:
        click.confirm(f"End the roster of {count(len(leaving), 'patient')}?", abort=True)
    counts = {
        "patients": len(roster.members),
        "unknown": len(roster.unknown),
        "ended": len(leaving),
    }
    audit_change(
        session.context,
        session.principal,
        AuditAction.ROSTER_IMPORTED,
        counts,
        until=until,
        **_whose(session.context, subscriber),
    )
    with Progress(console=console(stderr=True), transient=True) as progress:
        bar = progress.add_task("Writing", total=len(roster.members))
        rosters.put(
            session.context,
            name,
            subscriber,
            roster,
            until,
            done=lambda: progress.advance(bar),
        )
    out.print(f"{count(len(roster.members), 'patient')} on the roster until {until}.")
    if replace:
        ended = rosters.end(session.context, name, subscriber, leaving)
        out.print(f"{count(ended, 'patient')} removed from the roster.")


@roster_group.command("list")
@click.option(
    "--ending", "soon", is_flag=True, help=f"Only those that end within {ROSTER_SOON} days."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def list_command(session: Session, soon: bool, as_json: bool) -> None:
    """Lists every roster with its number of patients and last day.

    It names no patient.
    """
    session.record_look(LookedAt.REGISTRY, session.command)
    today = rosters.today()
    table_name = session.deployment.output("RegistryTable")
    every = rosters.subscribers(session.context, table_name)
    lines = [_line(provider_id, members, today) for provider_id, members in sorted(every.items())]
    found = [line for line in lines if not soon or line.state != "valid"]
    if as_json:
        print_json(found)
        return
    shown = table("subscriber", ">patients", "until", "state")
    for line in found:
        shown.add_row(line.subscriber, str(line.patients), line.until, line.state)
    console().print(shown if found else "No rosters.")


@roster_group.command("end")
@click.argument("subscriber")
@click.option("--yes", is_flag=True, help="Do not ask before it ends.")
@pass_session
def end_command(session: Session, subscriber: str, yes: bool) -> None:
    """Ends a subscriber's roster.

    The subscriber is no longer notified about its patients.
    """
    session.record_look(LookedAt.REGISTRY, session.command)
    name = session.deployment.output("RegistryTable")
    current = _current(session.context, name, subscriber)
    if not current:
        if not rosters.is_provider(session.context, name, subscriber):
            raise ProblemError("The registry has no provider with this id: see `ens roster list`.")
        console().print("This subscriber has no roster that is still valid.")
        return
    if not yes:
        click.confirm(f"End the roster of {count(len(current), 'patient')}?", abort=True)
    audit_change(
        session.context,
        session.principal,
        AuditAction.ROSTER_ENDED,
        {"ended": len(current)},
        **_whose(session.context, subscriber),
    )
    ended = rosters.end(session.context, name, subscriber, current)
    console().print(f"Ended for {count(ended, 'patient')}.")


def _current(context: LedgerContext, table: str, subscriber: str) -> set[str]:
    """The ids of the patients who are on a subscriber's roster today."""
    today = rosters.today().isoformat()
    return {m.patient_id for m in rosters.members(context, table, subscriber) if m.until >= today}


def _show_leaving(context: LedgerContext, leaving: set[str]) -> None:
    """Prints the number and the references of the patients whom the file no longer has."""
    references = sorted(context.reference_keys.reference("patient", one) for one in leaving)
    out = console()
    out.print(f"No longer on the roster: {count(len(leaving), 'patient')}")
    for reference in references[:SHOWN]:
        out.print(f"  {reference}")
    if len(references) > SHOWN:
        out.print(f"  and {len(references) - SHOWN} more")


def _whose(context: LedgerContext, subscriber: str) -> dict[str, str]:
    return {"subscriber_ref": context.reference_keys.reference("recipient", subscriber)}


def _line(provider_id: str, members: list[RosterMember], today: date) -> RosterLine:
    """A roster's line in the list: number of current patients and the first last day among them.

    Without current patients: state `expired` and the last day of the last patient.
    """
    current = [member.until for member in members if member.until >= today.isoformat()]
    if not current:
        return RosterLine(provider_id, 0, max(member.until for member in members), "expired")
    left = (date.fromisoformat(min(current)) - today).days
    state = "valid" if left > ROSTER_SOON else f"ends in {count(left, 'day')}"
    return RosterLine(provider_id, len(current), min(current), state)
