"""`ens retention`: checks that nothing is kept for longer than the environment's file says."""

from datetime import UTC, datetime

import click
from rich.text import Text

from environments import load
from ops import retention
from ops.output import console, count, print_json, table
from ops.session import Session, pass_session


@click.group("retention")
def retention_group() -> None:
    """Shows how long each kind of data is kept."""


@retention_group.command("check")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def check_command(session: Session, as_json: bool) -> None:
    """Checks that no store keeps data for too long.

    It compares the stores with the environment's file, and counts items that should be gone. It looks at
    the rule of each store, and in the audit, the status and the ledger for older items. The exit code is
    1 when a rule differs or something older exists.
    """
    environment = load(session.environment)
    found = list(retention.checks(session.deployment, environment, datetime.now(UTC).date()))
    if as_json:
        print_json(found)
    else:
        shown = table("Store", "Setting", ">Days", "Rule", ">Older")
        for one in found:
            rule = Text(one.fault, style="red") if one.fault else Text("as set", style="green")
            older = "–" if one.older is None else str(one.older)
            shown.add_row(one.store, one.setting, str(one.days), rule, older)
        out = console()
        out.print(shown)
        wrong = sum(not one.holds for one in found)
        out.print(f"{count(len(found), 'store')} checked, {wrong} not as set.")
    if not all(one.holds for one in found):
        raise click.exceptions.Exit(1)
