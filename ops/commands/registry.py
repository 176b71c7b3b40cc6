"""`ens registry`: imports patients and providers from files."""

from collections import Counter
from pathlib import Path

import click
from rich.progress import Progress

from lambdas.common.contracts.audit import AuditAction, LookedAt
from lambdas.registry.importing.changes import ImportPlan, RowState
from lambdas.registry.importing.columns import InvalidRegistryError
from lambdas.registry.importing.files import read_folder
from lambdas.registry.importing.named_cells import NamedRows
from lambdas.registry.importing.plan import planned
from ops.audit.entry import audit_change
from ops.master_data import registry
from ops.output import console, count, table
from ops.problem import ProblemError
from ops.session import Session, pass_session

SHOWN = 20


@click.group("registry")
def registry_group() -> None:
    """Imports patients, providers and what relates them."""


@registry_group.command("import", epilog="Example: ens registry import samples/registry --dry-run")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--clear-empty", is_flag=True, help="Let an empty cell clear the value.")
@click.option("--rows", "all_rows", is_flag=True, help="List every row in the plan.")
@click.option("--dry-run", is_flag=True, help="Print the plan and write nothing.")
@click.option("--yes", is_flag=True, help="Do not ask before writing.")
@pass_session
def import_command(
    session: Session,
    *,
    folder: Path,
    clear_empty: bool,
    all_rows: bool,
    dry_run: bool,
    yes: bool,
) -> None:
    """Writes the files of FOLDER to the registry.

    They are any of patients, identifiers, providers, relationships and consents, each .csv or .ndjson.
    docs/identity.md lists their columns. Only the cells that a file names change: a missing column or
    an empty cell changes nothing. The plan is printed first. If one row is faulty, nothing is written.
    """
    session.record_look(LookedAt.REGISTRY, session.command)
    table_name = session.deployment.output("RegistryTable")
    try:
        named = NamedRows.of(read_folder(folder), clear_empty=clear_empty)
        plan = planned(named, registry.read_known(session.context, table_name, named))
    except InvalidRegistryError as error:
        raise faults(error) from None
    _show(plan, all_rows=all_rows)
    out = console()
    if not plan.changes:
        out.print("Nothing to change.")
        return
    if dry_run:
        out.print(f"Dry run: {count(len(plan.changes), 'item')} would be written.")
        return
    if not yes:
        click.confirm(f"Write {count(len(plan.changes), 'item')}?", abort=True)
    states = Counter(row.state for row in plan.rows)
    counts = {"items": len(plan.changes), **{str(state): states[state] for state in RowState}}
    audit_change(session.context, session.principal, AuditAction.REGISTRY_IMPORTED, counts)
    with Progress(console=console(stderr=True), transient=True) as progress:
        bar = progress.add_task("Writing", total=len(plan.changes))
        registry.write(session.context, table_name, plan.changes, lambda: progress.advance(bar))
    out.print(
        f"{count(len(plan.changes), 'item')} written to the registry of {session.environment}."
    )


def _show(plan: ImportPlan, *, all_rows: bool) -> None:
    """Prints the rows of each state by file, and the rows that change or end: places and column names."""
    states = [str(state) for state in RowState]
    shown = table("file", *(f">{state}" for state in states))
    for file in dict.fromkeys(row.file for row in plan.rows):
        found = Counter(row.state for row in plan.rows if row.file == file)
        shown.add_row(file, *(str(found[state]) for state in RowState))
    out = console()
    out.print(shown)
    telling = (RowState.CHANGED, RowState.ENDED)
    rows = [row for row in plan.rows if all_rows or row.state in telling]
    for row in rows if all_rows else rows[:SHOWN]:
        out.print(f"  {row.place}: {row.state} {', '.join(row.fields)}".rstrip())
    if len(rows) > SHOWN and not all_rows:
        out.print(f"  and {count(len(rows) - SHOWN, 'more row')}; --rows lists all")


def faults(error: InvalidRegistryError) -> ProblemError:
    """Returns the faults of a file as one error, one line each, without the text of any cell."""
    shown = error.problems[:SHOWN]
    rest = len(error.problems) - len(shown)
    more = [f"and {count(rest, 'more fault')}"] if rest else []
    return ProblemError("\n  ".join(["Nothing was imported:", *shown, *more]))
