"""`ens rejected`: lists the messages that the receiver rejected, with the reasons."""

from datetime import UTC, datetime

import click

from lambdas.common.contracts.audit import LookedAt
from ops.output import clock, console, count, print_json, sentence_case, table, words
from ops.queues.rejected import Rejected, RejectedSource
from ops.session import Session, pass_session


@click.group("rejected")
def rejected_group() -> None:
    """Finds messages that the receiver rejected. Their bytes are stored in the vault."""


@rejected_group.command("list")
@click.option(
    "--days",
    type=click.IntRange(1, 366),
    default=7,
    show_default=True,
    help="Days to list, including today.",
)
@click.option("--reason", default="", help="Only this reason, for example unknown_type.")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="Most messages."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def list_command(session: Session, days: int, reason: str, limit: int, as_json: bool) -> None:
    """Lists rejected messages, newest first."""
    session.record_look(LookedAt.REJECTED_MESSAGES)
    source = RejectedSource(session.deployment)
    found = source.newest(days, reason, limit, datetime.now(UTC).date())
    if as_json:
        print_json(found)
        return
    if not found:
        click.echo(f"No rejected messages in the last {count(days, 'day')}.")
        return
    for one in found:
        click.echo(f"{clock(one.received_at)}  {words(one.reason)}, {one.bytes} bytes")
        click.echo(f"  {one.key}")


@rejected_group.command("show")
@click.argument("key")
@pass_session
def show_command(session: Session, key: str) -> None:
    """Shows the reason for one rejected message. `ens phi rejected` shows its bytes."""
    one = RejectedSource(session.deployment).one(key)
    session.record_look(LookedAt.REJECTED_MESSAGES, one.key)
    console().print(_facts(one))


def _facts(one: Rejected) -> object:
    facts = table("", "")
    for name, value in (
        ("Reason", sentence_case(words(one.reason))),
        ("Received", f"{clock(one.received_at)} UTC"),
        ("Size", count(one.bytes, "byte")),
        ("From", one.peer),
        ("Connection", one.connection),
    ):
        facts.add_row(name, value)
    return facts
