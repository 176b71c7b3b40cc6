"""`ens senders`: the connections that each sender's binding admits, and certificates that expire soon."""

from datetime import UTC, datetime

import click

from environments import load
from ops.output import one_line, print_json
from ops.senders.bindings import admitted
from ops.senders.expiring import expiring
from ops.session import Session, pass_session


@click.group("senders")
def senders_group() -> None:
    """Shows who may send messages."""


@senders_group.command("check")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def check_command(session: Session, as_json: bool) -> None:
    """Shows which connections each sender's binding admits.

    It reads the files of the environment alone. A line with `!` names a binding that admits too much, or
    nothing.
    """
    found = admitted(load(session.environment))
    if as_json:
        print_json(found)
    else:
        for one in found:
            click.echo(f"{one.sender}  MSH-3 / MSH-4: {one.names}")
            for connection in one.connections:
                click.echo(f"  admits {connection}")
            click.echo(f"  trigger events: {one.trigger_events}")
            for finding in one.findings:
                click.echo(f"  ! {finding}")


@senders_group.command("expiring")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def expiring_command(session: Session, as_json: bool) -> None:
    """Shows certificates that expire within 30 days.

    They are those of the receivers and those that senders have shown in the last day.
    """
    found = expiring(session.deployment, datetime.now(UTC))
    if as_json:
        print_json(found)
        return
    if not found:
        click.echo("No certificate in use expires within 30 days.")
    for one in found:
        click.echo(one_line(f"{one.expires}  {one.certificate}"))
