"""`ens roster`: the panels of subscribers, who are told of the patients on them until a day."""

from datetime import date, timedelta
from pathlib import Path

import click
from rich.progress import Progress

from lambdas.lookup_identities.registry_files import read_file
from lambdas.lookup_identities.registry_rows import InvalidRegistryError
from ops import registry
from ops.commands.registry import faults
from ops.output import console, count, print_json, table
from ops.session import Session, pass_session

SOON = 14
"""Days before its end at which a roster is said to end soon."""


@click.group("roster")
def roster_group() -> None:
    """Rosters (panels) of subscribers."""


@roster_group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--subscriber", required=True, help="The provider's id in the registry.")
@click.option(
    "--days",
    default=registry.DAYS,
    show_default=True,
    type=click.IntRange(1, 366),
    help="How long it holds, today included.",
)
@click.option("--replace", is_flag=True, help="End it for patients who are not in the file.")
@click.option("--dry-run", is_flag=True, help="Check the file and write nothing.")
@pass_session
def import_command(
    session: Session, *, file: Path, subscriber: str, days: int, replace: bool, dry_run: bool
) -> None:
    """Puts the patients of FILE on a subscriber's roster.

    CSV or NDJSON with authority and value, and perhaps family and birth_date, which are then
    compared. With one faulty row nothing is imported; a patient whom the registry does not know is
    passed over and counted.
    """
    name = session.deployment.output("RegistryTable")
    try:
        roster = registry.read_roster(name, subscriber, read_file(file))
    except InvalidRegistryError as error:
        raise faults(error) from None
    out = console()
    until = (registry.today() + timedelta(days=days - 1)).isoformat()
    if roster.unknown:
        lines = ", ".join(map(str, roster.unknown[:10]))
        out.print(f"Not in the registry, passed over: {count(len(roster.unknown), 'patient')}")
        out.print(f"  line {lines}{' …' if len(roster.unknown) > 10 else ''}")
    if dry_run:
        out.print(f"{count(len(roster.members), 'patient')} would be on it until {until}.")
        return
    with Progress(console=console(stderr=True), transient=True) as progress:
        bar = progress.add_task("Writing", total=len(roster.members))
        registry.put_roster(name, subscriber, roster, until, lambda: progress.advance(bar))
    out.print(f"{count(len(roster.members), 'patient')} on the roster until {until}.")
    if replace:
        before = {member.patient_id for member in registry.members(name, subscriber)}
        ended = registry.end(name, subscriber, before - roster.members.keys())
        out.print(f"{count(ended, 'patient')} taken off it.")


@roster_group.command("list")
@click.option("--ending", "soon", is_flag=True, help=f"Only what ends within {SOON} days.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@pass_session
def list_command(session: Session, soon: bool, as_json: bool) -> None:
    """Lists every roster: whose, how many patients, until when. Names no patient."""
    today = registry.today()
    found = [
        _entry(provider_id, members, today)
        for provider_id, members in sorted(
            registry.subscribers(session.deployment.output("RegistryTable")).items()
        )
        if not soon or _entry(provider_id, members, today)["state"] != "holds"
    ]
    if as_json:
        print_json(found)
        return
    shown = table("subscriber", ">patients", "until", "state")
    for entry in found:
        shown.add_row(*(str(entry[name]) for name in ("subscriber", "patients", "until", "state")))
    console().print(shown if found else "No rosters.")


@roster_group.command("end")
@click.argument("subscriber")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_session
def end_command(session: Session, subscriber: str, yes: bool) -> None:
    """Ends a subscriber's roster: from now on its patients are no reason to be told."""
    name = session.deployment.output("RegistryTable")
    today = registry.today().isoformat()
    current = {m.patient_id for m in registry.members(name, subscriber) if m.until >= today}
    if not current:
        console().print("There is no roster of this subscriber that still holds.")
        return
    if not yes:
        click.confirm(f"End the roster of {count(len(current), 'patient')}?", abort=True)
    ended = registry.end(name, subscriber, current)
    console().print(f"Ended for {count(ended, 'patient')}.")


def _entry(subscriber: str, members: list[registry.Member], today: date) -> dict[str, str | int]:
    """A roster as it is listed: its patients who are still on it, else when the last was."""
    current = [member for member in members if member.until >= today.isoformat()]
    first = min((member.until for member in current), default="")
    if not current:
        return {
            "subscriber": subscriber,
            "patients": 0,
            "until": max(member.until for member in members),
            "state": "expired",
        }
    left = (date.fromisoformat(first) - today).days
    state = "holds" if left > SOON else f"ends in {count(left, 'day')}"
    return {"subscriber": subscriber, "patients": len(current), "until": first, "state": state}
