"""`ens cost`: sums the billed units of Comprehend Medical by day and operation."""

from datetime import UTC, datetime, timedelta

import click

from ops import comprehend_cost
from ops.output import console, print_json, table
from ops.session import Session, pass_session


@click.command("cost")
@click.option(
    "--days",
    default=7,
    show_default=True,
    type=click.IntRange(1, 366),
    help="Days to sum, including today.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the sums as JSON.")
@pass_session
def cost_command(session: Session, days: int, as_json: bool) -> None:
    """Sums the billed units of Comprehend Medical and their price.

    Each line is a day (UTC) and an operation.
    """
    today = datetime.now(UTC).date()
    wanted = [(today - timedelta(days=back)).isoformat() for back in range(days)]
    lines = [line for day in wanted for line in comprehend_cost.of_day(session.context, day)]
    if as_json:
        print_json(lines)
        return
    out = console()
    if not lines:
        out.print(f"No requests to Comprehend Medical in the last {days} days.")
        return
    made = table("Day", "Operation", "Events", "Units", "USD")
    for line in lines:
        made.add_row(line.day, line.operation, str(line.events), str(line.units), f"{line.usd:.4f}")
    out.print(made)
    out.print(
        f"Total: {sum(line.units for line in lines)} units, {sum(line.usd for line in lines):.4f} USD."
    )
