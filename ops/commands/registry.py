"""`ens registry`: imports patients and providers from files."""

from pathlib import Path

import click
from rich.progress import Progress

from lambdas.common.contracts.audit import AuditAction
from lambdas.lookup_identities.registry.items import items_of_folder
from lambdas.lookup_identities.registry.rows import InvalidRegistryError
from ops.master_data import registry
from ops.master_data.audit import audit_change
from ops.output import console, count
from ops.problem import ProblemError
from ops.session import Session, pass_session

SHOWN = 20


@click.group("registry")
def registry_group() -> None:
    """Imports patients, identifiers, providers and relationships."""


@registry_group.command("import")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check the files and write nothing.")
@pass_session
def import_command(session: Session, folder: Path, dry_run: bool) -> None:
    """Checks the four files of FOLDER and writes them to the registry.

    They are patients, identifiers, providers and relationships, each .csv or .ndjson. docs/identity.md
    lists their columns. If one row is faulty, nothing is written. Repeating an import changes nothing.
    """
    try:
        items = items_of_folder(folder)
    except InvalidRegistryError as error:
        raise faults(error) from None
    out = console()
    if dry_run:
        out.print(f"Dry run: {count(len(items), 'item')} would be written.")
        return
    table = session.deployment.output("RegistryTable")
    audit_change(
        session.context, session.principal, AuditAction.REGISTRY_IMPORTED, {"items": len(items)}
    )
    with Progress(console=console(stderr=True), transient=True) as progress:
        bar = progress.add_task("Writing", total=len(items))
        registry.write(session.context, table, items, lambda: progress.advance(bar))
    out.print(f"{count(len(items), 'item')} written to the registry of {session.environment}.")


def faults(error: InvalidRegistryError) -> ProblemError:
    """Returns the faults of a file as one error, one line each, without the text of any cell."""
    shown = error.problems[:SHOWN]
    rest = len(error.problems) - len(shown)
    more = [f"and {count(rest, 'more fault')}"] if rest else []
    return ProblemError("\n  ".join(["Nothing was imported:", *shown, *more]))
