"""`ens report`: evidence for surveyors, from the audit trail."""

from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import click

from lambdas.common.clock import now
from lambdas.common.contracts.audit import LookedAt
from ops.audit import looks
from ops.cop import spreadsheet
from ops.cop.events import EventRecord
from ops.cop.markdown import markdown
from ops.cop.month_entries import events_of, month_of
from ops.cop.report import matching, report
from ops.output import console, count, short_clock, table, words
from ops.period import Period
from ops.problem import ProblemError
from ops.session import Session, pass_session

FORMS = ("markdown", "csv", "pdf")


@click.group("report")
def report_group() -> None:
    """Reports for surveyors."""


@report_group.command(
    "cop", epilog="Example: ens report cop --month 2026-11 --sender northgen --list failed"
)
@click.option("--month", required=True, metavar="YYYY-MM", help="The month of receipt, UTC.")
@click.option(
    "--sender", required=True, help="The sending hospital system, by its configured name."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMS),
    default="markdown",
    show_default=True,
    help="Form of the report.",
)
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="The file to write."
)
@click.option("--list", "wanted", default="", help="List the events with this outcome or reason.")
@pass_session
def cop_command(
    session: Session, *, month: str, sender: str, form: str, output: Path | None, wanted: str
) -> None:
    """Reports a hospital's notices of a month (42 CFR 482.24(d)).

    It counts the events that were told, and those that were not with the reasons. CSV has one row for
    each event. The output holds ids, codes and times, no patient data.
    """
    if form == "pdf" and output is None and not wanted:
        raise click.UsageError("A PDF needs --output FILE.")
    days = _month(month)
    looks.record_audit_use(
        session.context, session.principal, LookedAt.AUDIT_OF_SENDER, days, looked_at_id=sender
    )
    events, unread = events_of(session.context, sender, days)
    if not events and not unread:
        raise ProblemError(
            f"{session.environment} has no event of the sender `{sender}` in {month}: check the name"
            " (`ens senders check`) and the month."
        )
    if wanted:
        _list(session, matching(events, wanted), wanted)
        return
    content = _content(
        form, events, unread, sender=sender, environment=session.environment, month=days
    )
    if output:
        output.write_bytes(content)
        console().print(f"Wrote {output}")
    else:
        click.echo(content, nl=False)


def _content(
    form: str,
    events: list[EventRecord],
    unread: dict[str, str],
    *,
    sender: str,
    environment: str,
    month: Period,
) -> bytes:
    """The file of the report in this form."""
    if form == "csv":
        rows = StringIO()
        spreadsheet.write(events, rows)
        return rows.getvalue().encode()
    made = report(
        events,
        unread,
        sender=sender,
        environment=environment,
        month=month,
        prepared=f"{now()[:10]} (UTC)",
    )
    if form == "pdf":
        from ops.cop.pdf import pdf

        return pdf(made)
    return markdown(made).encode()


def _list(session: Session, events: list[EventRecord], wanted: str) -> None:
    """Prints the events; `ens trace` takes each id."""
    out = console()
    if not events:
        raise ProblemError(
            f"No event has the outcome or reason `{wanted}`; the report names them all."
        )
    shown = table(">event", "received (UTC)", "kind", "outcome")
    for one in events:
        shown.add_row(one.event_id, short_clock(one.received_at), words(one.kind), one.outcome)
    out.print(shown)
    out.print(session.typed(f"{count(len(events), 'event')}; `ens trace EVENT` shows one."))


def _month(text: str) -> Period:
    try:
        month = month_of(text)
    except ValueError:
        raise click.UsageError("--month is not a month as YYYY-MM.") from None
    if month.since > datetime.now(UTC).date():
        raise click.UsageError("--month has not begun yet.")
    return month
