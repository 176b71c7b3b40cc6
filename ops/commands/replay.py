"""`ens replay`: processes a completed event again."""

import click

from lambdas.common.contracts.workflow.status import EventStatus
from ops.output import console
from ops.problem import ProblemError
from ops.queues import replay
from ops.session import Session, pass_session


@click.command("replay")
@click.argument("event_id")
@click.option(
    "--open", "even_open", is_flag=True, help="Even if the event is still being processed."
)
@pass_session
def replay_command(session: Session, event_id: str, even_open: bool) -> None:
    """Processes an event again from the stored message.

    Providers whom the delivery ledger shows as notified are not notified again.
    """
    if session.event(event_id).status == EventStatus.OPEN and not even_open:
        raise ProblemError("This event is still being processed. To replay it anyway, add --open.")
    replay.replay(session.deployment, event_id, session.principal)
    out = console()
    out.print(f"Sent to be processed again: {event_id}")
    out.print(session.typed(f"Follow it with `ens trace {event_id}`."))
