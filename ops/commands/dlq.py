"""`ens dlq`: lists, shows and redrives dead letters."""

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lambdas.common.contracts.audit import LookedAt
from lambdas.common.contracts.workflow.status import EventStatus
from ops.events.terminal import show
from ops.output import console, count, print_json, short_clock, table, words
from ops.patient_data import ID
from ops.problem import ProblemError
from ops.queues import dead_letters, redrive
from ops.queues.dead_letters import DeadLetterPlace, DeadLetters
from ops.session import Session, pass_session


@click.group("dlq")
def dlq_group() -> None:
    """Lists, shows and redrives dead letters.

    `list` and `show` read the audit and receive no message.
    """


@dlq_group.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@pass_session
def list_command(session: Session, as_json: bool) -> None:
    """Lists failed events, and counts the queue's messages.

    The events are those of the audit that failed within 14 days and have not run since.
    """
    letters = session.trail.dead_letters()
    if as_json:
        print_json(letters)
        return
    out = console()
    if letters.events:
        out.print(_table(letters))
    _say_count(session, letters, out)


@dlq_group.command("show")
@click.argument("reference", metavar="EVENT_ID|MSH-10")
@pass_session
def show_command(session: Session, reference: str) -> None:
    """Shows why an event failed, and what to do."""
    trail = session.event(session.event_id(reference))
    if trail.status != EventStatus.FAILED:
        state = trail.status.lower() or "without a status"
        raise ProblemError(f"This event is {state}, not a dead letter: see `ens trace`.")
    session.record_look(LookedAt.DEAD_LETTER, trail.event_id)
    show(trail, console())


@dlq_group.command("redrive")
@click.argument("event_id", required=False, metavar="[EVENT_ID]")
@click.option("--all", "everything", is_flag=True, help="Every message on the queue now.")
@pass_session
def redrive_command(session: Session, event_id: str | None, everything: bool) -> None:
    """Sends dead letters back to be processed again.

    Providers who were notified already are not notified again.
    """
    if bool(event_id) == everything:
        raise click.UsageError("Give an EVENT_ID or --all.")
    if event_id and not ID.fullmatch(event_id):
        raise ProblemError("An event id has 32 hex digits: see `ens dlq list`.")
    who, out = session.principal, console()
    if event_id:
        done = redrive.one(session.deployment, event_id, who)
        if not done:
            raise ProblemError(_not_there(session, event_id))
        out.print(f"Sent back to be processed: {event_id}")
        out.print(session.typed(f"Follow it with `ens trace {event_id}`."))
        return
    sent = 0
    for redriven in redrive.every(session.deployment, who):
        sent += 1
        out.print(f"Sent back to be processed: {redriven.event_id or 'a message without event id'}")
    left = dead_letters.queue_count(session.deployment)
    out.print(f"{count(sent, 'message')} redriven; the queue now holds about {left}.")


def _table(letters: DeadLetters) -> Table:
    made = table("Event", "Failed UTC", "What failed, where it is")
    for letter in letters.events:
        error = Text(letter.error_name, style="red")
        error.append(f"\n{letter.step}, {words(letter.place)}", style="default")
        made.add_row(letter.event_id, short_clock(letter.time), error)
    return made


def _say_count(session: Session, letters: DeadLetters, out: Console) -> None:
    there = sum(letter.place is DeadLetterPlace.DEAD_LETTER for letter in letters.events)
    out.print(f"The dead-letter queue holds about {count(letters.queue_count, 'message')}.")
    if letters.queue_count > there:
        out.print(
            session.typed(
                "These are more than listed above: a message may be there twice, its event may have"
                " completed since, or no step has read it. `ens dlq redrive --all` redrives all."
            )
        )


def _not_there(session: Session, event_id: str) -> str:
    held = dead_letters.queue_count(session.deployment)
    if not held:
        return "The dead-letter queue is empty."
    return (
        f"SQS returned no message of event {event_id} from the dead-letter queue, which holds about"
        f" {held}. Messages of the same patient may be before it: use `ens dlq redrive --all`."
        " Or SQS still redelivers it: see `ens dlq list`."
    )
