"""`ens audit looks`: lists the looks of people at dead letters, stays, registry and patient data."""

from datetime import datetime

import click
from rich.text import Text

from ops.audit import looks
from ops.commands.options import period_of, with_period
from ops.output import clock, console, count, print_json, table, words
from ops.session import Session, pass_session


@click.command("looks")
@with_period("the day of --to")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@pass_session
def looks_command(
    session: Session, since: datetime | None, until: datetime | None, as_json: bool
) -> None:
    """Lists the looks of people at stored data, with their reasons.

    It lists looks at dead letters, stays, rejected messages, registry, patient data and the audit itself.

    Without --from and --to: those of today (UTC).
    """
    found = list(looks.during(session.context, period_of(since, until)))
    if as_json:
        print_json(found)
        return
    out, shown = console(), table("Time (UTC)", "Person", "Looked at", "Reason")
    for one in found:
        thing = Text(words(one.looked_at))
        thing.append(f"\n{one.looked_at_id}" if one.looked_at_id else "", style="dim")
        outcome = "" if one.outcome == "ok" else f" ({one.outcome})"
        shown.add_row(clock(one.time), Text(one.by), thing, Text(one.reason + outcome))
    if found:
        out.print(shown)
    out.print(f"{count(len(found), 'look')}.")
