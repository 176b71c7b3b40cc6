"""`ens trace`: shows the steps of one event."""

import click

from ops.events.terminal import show
from ops.output import console, print_json
from ops.session import Session, pass_session


@click.command("trace")
@click.argument("reference", metavar="EVENT_ID|MSH-10")
@click.option("--json", "as_json", is_flag=True, help="Print the trail as JSON.")
@pass_session
def trace_command(session: Session, reference: str, as_json: bool) -> None:
    """Shows an event's steps, recipients, and what to do.

    EVENT_ID|MSH-10 is the event's id or its message control id. Senders reuse control ids: of several
    events the newest is shown, and the ids of the others are listed.
    """
    trail = session.event(session.event_id(reference))
    if as_json:
        print_json(trail)
        return
    out = console()
    show(trail, out)
    older = session.trail.find(reference)[1:]
    if older:
        out.print("\nOlder events with this MSH-10", style="bold")
    for event_id in older:
        out.print(f"  {event_id}")
