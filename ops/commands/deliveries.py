"""`ens deliveries`: what the ledger cannot settle by itself, and the switch that holds everything back."""

import csv
import sys

import click

from lambdas.delivery.ledger.items import DeliveryItem
from lambdas.delivery.ledger.states import DeliveryState, HoldReason, SwitchState
from ops import ledger
from ops.output import clock, console, count, short_clock, table
from ops.session import Session, operator, pass_session

HOLD_REASONS: dict[str, str] = {
    HoldReason.DIGEST: "for the recipient's daily summary",
    HoldReason.QUIET: "for the end of the recipient's quiet hours",
    HoldReason.RATE: "for SES's maximum rate",
    HoldReason.QUOTA: "daily mail quota used up",
    HoldReason.SWITCHED_OFF: "deliveries are paused",
    HoldReason.FALLBACK: "told instead of another recipient",
    HoldReason.RESEND: "sent again",
}

COLUMNS = ("delivery_id", "event_id", "recipient_ref", "event_kind", "updated_at")


@click.group("deliveries")
def deliveries_group() -> None:
    """Looks after deliveries: unknown, held, and addresses that do not work."""


@deliveries_group.command("unknown")
@click.option("--csv", "as_csv", is_flag=True, help="As CSV, for a spreadsheet.")
@pass_session
def unknown_command(session: Session, as_csv: bool) -> None:
    """Lists deliveries of which nobody knows whether they went."""
    _list(ledger.in_state(session.deployment, DeliveryState.UNKNOWN), as_csv)


@deliveries_group.command("held")
@click.option("--csv", "as_csv", is_flag=True, help="As CSV, for a spreadsheet.")
@pass_session
def held_command(session: Session, as_csv: bool) -> None:
    """Lists deliveries that wait, and for what: their hour, the rate, the daily quota, the switch."""
    switch = ledger.switched(session.deployment)
    if switch.state is SwitchState.PAUSED and not as_csv:
        console().print(f"Paused by {switch.by} since {clock(switch.updated_at)} UTC.")
    _list(ledger.in_state(session.deployment, DeliveryState.HELD), as_csv)


@deliveries_group.command("problems")
@pass_session
def problems_command(session: Session) -> None:
    """Lists addresses that bounced or complained, and certificates that could not be used.

    Correct the directory; the next notification then finds a new address or certificate.
    """
    out, shown = console(), table("recipient", "problem", "reason", "since")
    items = ledger.address_problems(session.deployment)
    for item in items:
        shown.add_row(
            item.recipient_ref,
            item.state.replace("_", " "),
            item.reason.replace("_", " "),
            clock(item.updated_at),
        )
    if items:
        out.print(shown)
    out.print(f"{count(len(items), 'problem')}.")


@deliveries_group.command("resend")
@click.argument("delivery_id")
@click.option("--by", required=True, help="Who asks for it: goes into the audit.")
@pass_session
def resend_command(session: Session, delivery_id: str, by: str) -> None:
    """Sends an unknown delivery again, within a minute.

    The provider may then have it twice, with the same reference in the subject.
    """
    ledger.resend(session.deployment, delivery_id, operator(by))
    console().print(f"Goes out again within a minute: {delivery_id}")


@deliveries_group.command("pause")
@click.option("--by", required=True, help="Who asks for it.")
@pass_session
def pause_command(session: Session, by: str) -> None:
    """Holds every delivery of the environment from now on; none is lost.

    Who did it is in the audit: `ens trace switch#delivery`.
    """
    ledger.switch(session.deployment, SwitchState.PAUSED, operator(by))
    console().print("Paused: every notification is held until `ens deliveries continue`.")


@deliveries_group.command("continue")
@click.option("--by", required=True, help="Who asks for it.")
@pass_session
def continue_command(session: Session, by: str) -> None:
    """Ends a pause: what was held goes out, at the account's rate."""
    ledger.switch(session.deployment, SwitchState.ON, operator(by))
    console().print("Deliveries go on; what was held goes out within minutes.")


def _reason(item: DeliveryItem) -> str:
    """What a held delivery waits for, in words; a reason of an older version as it is."""
    return HOLD_REASONS.get(item.hold_reason, item.hold_reason.replace("_", " "))


def _list(items: list[DeliveryItem], as_csv: bool) -> None:
    if as_csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(COLUMNS)
        writer.writerows([[getattr(item, name) for name in COLUMNS] for item in items])
        return
    out, shown = console(), table("delivery", "kind", "since", "why")
    for item in items:
        shown.add_row(
            item.delivery_id,
            "summary" if item.members else item.event_kind,
            short_clock(item.updated_at),
            _reason(item),
        )
    if items:
        out.print(shown)
    out.print(f"{count(len(items), 'delivery', 'deliveries')}.")
