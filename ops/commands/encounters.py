"""`ens encounters`: the timeline of a stay, and the stays that no message began."""

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lambdas.common.contracts.audit import LookedAt
from lambdas.encounters.store import DueReason
from ops.encounters.stays import StayEvent, StaySource, StayTimeline, StayWithoutBegin
from ops.output import (
    OUTCOME_STYLES,
    clock,
    console,
    count,
    print_json,
    sentence_case,
    short_clock,
    table,
    words,
)
from ops.problem import ProblemError
from ops.session import Session, pass_session

WITHOUT_BEGIN = {
    DueReason.ORPHAN: "cancels nothing",
    DueReason.UNBEGUN: "was never admitted",
}
ID, SHORT = 32, 11
"""Characters of an event id, and of a reference as it is shown."""


@click.group("encounters")
def encounters_group() -> None:
    """Shows stays: their events, decisions and recipients."""


@encounters_group.command("show")
@click.argument("reference", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print the stay as JSON.")
@pass_session
def show_command(session: Session, reference: str, as_json: bool) -> None:
    """Shows a stay's events with decisions and recipients.

    The events are in the order in which they happened. ID is the stay's id, or the event id or MSH-10 of
    one of its messages.
    """
    event_id = session.event_id(reference)
    stay = StaySource(session.deployment).timeline(event_id)
    if stay is None:
        raise ProblemError(f"The event {event_id} belongs to no stay: see `ens trace {event_id}`.")
    session.record_look(LookedAt.STAY, stay.encounter_id)
    if as_json:
        print_json(stay)
        return
    show(stay, console())


@encounters_group.command("orphans")
@click.option(
    "--limit", default=100, show_default=True, type=click.IntRange(1, 1000), help="Most stays."
)
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@pass_session
def orphans_command(session: Session, limit: int, as_json: bool) -> None:
    """Lists stays that no message began.

    Their messages cancel nothing, or name a patient who was never admitted. A stay leaves the list when
    its admission arrives, or when it is closed.
    """
    session.record_look(LookedAt.STAYS)
    found = StaySource(session.deployment).without_begin(limit)
    if as_json:
        print_json(found)
        return
    out = console()
    if not found:
        out.print("Every cancellation found its stay, and every patient in a bed was admitted.")
        return
    out.print(_orphans(found))
    out.print(session.typed("\n`ens encounters show STAY` has the events of one."))


def show(stay: StayTimeline, out: Console) -> None:
    """Prints the timeline of a stay."""
    known = " ".join(filter(None, (stay.encounter_class, stay.phase)))
    out.print(Text.assemble(("Stay", "bold"), f" {stay.encounter_id}  {words(known)}"))
    told = sum(bool(event.notices) for event in stay.events)
    out.print(
        f"From {stay.sender}, {count(len(stay.events), 'event')}, {told} told, times in UTC."
        f" Patient {stay.patient_ref or 'not in the registry'}."
    )
    if stay.closed_at:
        out.print(
            Text.assemble(("Closed without an end", "yellow"), f" {clock(stay.closed_at)} UTC")
        )
    if stay.protections:
        out.print(f"Protected by {', '.join(stay.protections)}")
    out.print()
    out.print(_events(stay.events))
    if stay.unchanged:
        out.print(f"\n{count(stay.unchanged, 'further update')} said nothing new.")


def _events(events: list[StayEvent]) -> Table:
    made = table("Event", "Happened", "Trigger", "Decision")
    made.columns[0].min_width = ID
    for event in events:
        made.add_row(
            event.event_id,
            short_clock(event.at or event.order),
            f"{event.trigger_event}\n{event.encounter_class}".strip(),
            _decision(event),
        )
    return made


def _decision(event: StayEvent) -> Text:
    """The notices with their recipients, or the reason why nobody is told."""
    kinds = ", ".join(words(kind) for kind in event.notices)
    text = Text(sentence_case(kinds), style="bold")
    if not event.notices:
        text = Text(words(event.reason) or "not decided")
    for warning in event.warnings:
        text.append(f"\n{words(warning)}", style="yellow")
    for one in event.recipients:
        outcome = one.outcome or "not tried"
        text.append(f"\n{one.recipient_ref[:SHORT]} ", style="default")
        text.append(words(outcome), style=OUTCOME_STYLES.get(outcome, "default"))
    return text


def _orphans(found: list[StayWithoutBegin]) -> Table:
    made = table("Stay", "Newest UTC", "Sender", "What")
    made.columns[0].min_width = ID
    for one in found:
        triggers = ", ".join(dict.fromkeys(one.trigger_events))
        made.add_row(
            one.encounter_id,
            short_clock(one.newest),
            one.sender,
            f"{triggers} {WITHOUT_BEGIN[one.why]}",
        )
    return made
