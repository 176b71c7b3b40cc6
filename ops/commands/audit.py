"""`ens audit`: verifies the audit trail."""

from datetime import UTC, datetime
from functools import partial
from time import monotonic

import click
from rich.text import Text

from lambdas.common.audit.checks import Verdict
from lambdas.common.audit.digests import due_day
from lambdas.common.audit.verification import PeriodVerdict, verify, verify_period
from lambdas.common.audit.whole_table import PARTS, verify_part
from lambdas.common.clock import milliseconds_since
from lambdas.common.contracts.workflow.status import EventStatus
from lambdas.common.function.context import Context
from ops.aws_calls import side_by_side
from ops.commands.options import DAY, DAY_SHOWN, period_of, with_period
from ops.events import queries
from ops.output import console, count, one_line
from ops.period import Period
from ops.problem import ProblemError
from ops.session import Session, pass_session

PARSE_MAX_MS = 60_000
"""Above ParseMessage's timeout. An older event without audit entries has lost them."""

BROKEN, UNCHECKED = 1, 2
"""Exit codes: something is missing or altered; something could not be checked."""

NO_ENTRIES = "the event was processed, but it has no audit entries"


@click.group("audit")
def audit_group() -> None:
    """Checks the audit trail, and answers from it."""


@audit_group.command("verify", epilog="Example: ens audit verify --from 2026-11-01 --to 2026-11-30")
@click.argument("event_id", required=False, metavar="[EVENT_ID]")
@click.option("--day", type=DAY, metavar=DAY_SHOWN, help="All events of one day (UTC).")
@with_period("the day of --to")
@click.option(
    "--whole-table",
    is_flag=True,
    help="Reads the whole table for items that no day has: a verification of days does not find them.",
)
@pass_session
def verify_command(
    session: Session,
    event_id: str | None,
    day: datetime | None,
    since: datetime | None,
    until: datetime | None,
    *,
    whole_table: bool,
) -> None:
    """Verifies an event, a period, or the whole table.

    Without an event and a period: all events of today (UTC). Checks the entries of each event, the seal
    of its chain's head, the entries beside the chain, and the daily digests with their own chain. The
    exit code is 0 when the trail holds, 1 when something is missing or altered, 2 when something could
    not be checked.
    """
    if event_id and (day or since or until):
        raise click.UsageError("Give an EVENT_ID or a period, not both.")
    if day and (since or until):
        raise click.UsageError("Give --day, or --from and --to, not both.")
    if whole_table and (event_id or day or since or until):
        raise click.UsageError("Give --whole-table alone.")
    session.failure_code = UNCHECKED
    if event_id:
        _verify_event(session, event_id)
    elif whole_table:
        _verify_table(session)
    else:
        _verify_period(session, period_of(day or since, day or until))


def _verify_event(session: Session, event_id: str) -> None:
    context = session.deployment.audit
    verdict = verify(context, event_id, context.digests())
    if verdict == Verdict(event_id, 0, 0) and queries.status_of(context, event_id) is None:
        session.failure_code = BROKEN
        raise ProblemError(f"{session.environment} has no event {event_id}.")
    verdict = _processed(context, verdict)
    _print(verdict, started=not verdict.entries and not verdict.problems)
    _exit(broken=bool(verdict.problems), unchecked=bool(verdict.unchecked))


def _verify_period(session: Session, period: Period) -> None:
    context, begun = session.deployment.audit, monotonic()
    days = period.days()
    processed = [found for one in days for found in queries.processed_on(session.context, one)]
    verdict = verify_period(
        context,
        context.digests(),
        days[0],
        days[-1],
        due=due_day(datetime.now(UTC)),
        also=processed,
    )
    empty = [_processed(context, Verdict(one, 0, 0)) for one in verdict.without_entries]
    lost = [one for one in empty if one.problems]
    for one in (*verdict.faulty, *lost):
        _print(one)
    out = console()
    for problem in verdict.problems:
        out.print(Text.assemble(("broken", "bold red"), f"  {one_line(problem)}"))
    for problem in verdict.unchecked:
        out.print(Text.assemble(("not checked", "yellow"), f"  {one_line(problem)}"))
    broken = verdict.broken or bool(lost)
    _summary(verdict, days, broken=broken, seconds=monotonic() - begun)
    _exit(broken=broken, unchecked=not verdict.holds)


def _verify_table(session: Session) -> None:
    context, begun = session.deployment.audit, monotonic()
    digests = context.digests()
    parts = side_by_side(partial(verify_part, context, digests), range(PARTS))
    faulty = [one for part in parts for one in part.faulty]
    for one in faulty:
        _print(one)
    out, more = console(), sum(part.more for part in parts)
    if more:
        out.print(Text.assemble(("broken", "bold red"), f"  {count(more, 'more event')}"))
    broken = bool(more) or any(one.problems for one in faulty)
    mark = ("Items belong to no day", "bold red") if broken else ("Each entry has a day", "green")
    days = sorted({day for part in parts for day in (part.first_day, part.last_day)} - {""})
    period = f"{days[0]} to {days[-1]}" if days else "no day"
    read = ", ".join(
        (
            count(sum(part.events for part in parts), "event"),
            count(sum(part.entries for part in parts), "entry", "entries"),
        )
    )
    seconds = monotonic() - begun
    out.print(Text.assemble(mark, f": {period}, {read} read in {seconds:.1f} s."))
    _exit(broken=broken, unchecked=bool(faulty))


def _summary(verdict: PeriodVerdict, days: list[str], *, broken: bool, seconds: float) -> None:
    period = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    checked = ", ".join(
        (
            count(verdict.events, "event"),
            count(verdict.entries, "entry", "entries"),
            count(verdict.digests, "digest"),
        )
    )
    mark = ("The audit trail holds", "green")
    if broken:
        mark = ("The audit trail is broken", "bold red")
    elif not verdict.holds:
        mark = ("The audit trail could not be checked completely", "yellow")
    console().print(Text.assemble(mark, f": {period}, {checked} checked in {seconds:.1f} s."))


def _processed(context: Context, verdict: Verdict) -> Verdict:
    """The verdict, with a problem where an event was processed and has no entries."""
    if verdict.entries or _may_be_parsing(context, verdict.event_id):
        return verdict
    verdict.problems.append(NO_ENTRIES)
    return verdict


def _print(verdict: Verdict, *, started: bool = False) -> None:
    out, event_id = console(), one_line(verdict.event_id)
    if started:
        out.print(Text.assemble(f"{event_id}  ", ("started", "yellow"), "  no entry yet"))
        return
    said = count(verdict.entries, "entry", "entries")
    if verdict.outside_chain:
        said += f", {verdict.outside_chain} not chained (workflow)"
    mark = ("intact", "green")
    if verdict.problems:
        mark = ("broken", "bold red")
    elif verdict.unchecked:
        mark = ("not checked", "yellow")
    out.print(Text.assemble(f"{event_id}  ", mark, f"  {said}"))
    for problem in (*verdict.problems, *verdict.unchecked):
        out.print(f"  {one_line(problem)}", style="red")


def _exit(*, broken: bool, unchecked: bool) -> None:
    if broken or unchecked:
        raise click.exceptions.Exit(BROKEN if broken else UNCHECKED)


def _may_be_parsing(context: Context, event_id: str) -> bool:
    """Whether ParseMessage may still be running: it writes the status before the first audit entry."""
    found = queries.status_of(context, event_id)
    return (
        found is not None
        and found.status is EventStatus.OPEN
        and milliseconds_since(found.updated_at) < PARSE_MAX_MS
    )
