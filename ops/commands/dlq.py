"""`ens dlq`: the dead-letter queue, looked at without touching it, and worked."""

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ops.events.timeline import show
from ops.output import console, count, print_json, short_clock, table, words
from ops.problem import ProblemError
from ops.queues import dead_letters, redrive
from ops.queues.dead_letters import DeadLetters
from ops.session import Session, operator, pass_session


@click.group("dlq")
def dlq_group() -> None:
    """Lists, shows and redrives dead letters. Looking never hides one from being redriven."""


@dlq_group.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@pass_session
def list_command(session: Session, as_json: bool) -> None:
    """Lists the events that were given up, from the audit, with the queue's own count."""
    letters = session.trail.dead_letters()
    if as_json:
        print_json(letters.to_dict())
        return
    out = console()
    if letters.events:
        out.print(_table(letters))
    _say_count(letters, out)


@dlq_group.command("show")
@click.argument("reference", metavar="EVENT_ID|MSH-10")
@pass_session
def show_command(session: Session, reference: str) -> None:
    """Shows why an event was given up, and what to do."""
    trail = session.trail.event(session.event_id(reference))
    if trail is None or trail.status != "FAILED":
        state = trail.status.lower() if trail and trail.status else "without a status"
        raise ProblemError(f"This event is {state}, no dead letter: see `ens trace`.")
    show(trail, console())


@dlq_group.command("redrive")
@click.argument("event_id", required=False, metavar="[EVENT_ID]")
@click.option("--all", "everything", is_flag=True, help="Every message that is there now.")
@click.option("--by", default="", help="Who does it, for the audit. [default: your user name]")
@pass_session
def redrive_command(session: Session, event_id: str | None, everything: bool, by: str) -> None:
    """Sends dead letters back to be processed again.

    Providers who were told already are not told again.
    """
    if bool(event_id) == everything:
        raise click.UsageError("Name one EVENT_ID, or --all.")
    who, out = operator(by), console()
    if event_id:
        done = redrive.one(session.deployment, event_id, who)
        if not done:
            raise ProblemError(_not_there(session, event_id))
        out.print(f"Sent back to be processed: {event_id}")
        out.print(f"Follow it with `ens trace {event_id}`.")
        return
    sent = 0
    for redriven in redrive.every(session.deployment, who):
        sent += 1
        out.print(f"Sent back to be processed: {redriven.event_id or 'a message without event id'}")
    left = dead_letters.queue_count(session.deployment)
    out.print(f"{count(sent, 'message')} redriven; the queue now holds about {left}.")


def _table(letters: DeadLetters) -> Table:
    made = table("Event", "Failed", "What failed, where it is")
    for letter in letters.events:
        error = Text(letter.error_name, style="red")
        error.append(f"\n{letter.step}, {words(letter.place)}", style="default")
        made.add_row(letter.event_id, short_clock(letter.time), error)
    return made


def _say_count(letters: DeadLetters, out: Console) -> None:
    there = sum(letter.place == "dead_letter" for letter in letters.events)
    out.print(f"The dead-letter queue itself counts about {count(letters.queue_count, 'message')}.")
    if letters.queue_count > there:
        out.print(
            "More than the list above: a message may be there twice, its event may have completed"
            " since, or it never reached a step. `ens dlq redrive --all` takes them all."
        )


def _not_there(session: Session, event_id: str) -> str:
    held = dead_letters.queue_count(session.deployment)
    if not held:
        return "The dead-letter queue is empty."
    return (
        f"Among the messages that the dead-letter queue hands out (it counts about {held}), none is"
        f" of event {event_id}. Many of the same patient may stand before it: `ens dlq redrive"
        " --all`. Or SQS still redelivers it: `ens dlq list` says so."
    )
