"""`ens deliveries`: lists unknown and held deliveries and address problems, resends, pauses, continues."""

import sys

import click

from lambdas.common.contracts.workflow.delivery_states import DeliveryState, HoldReason
from lambdas.delivery.ledger.deliveries import deliveries
from lambdas.delivery.ledger.items import DeliveryItem, SwitchState
from lambdas.delivery.ledger.sending import pause
from ops import ledger
from ops.audit.principal import name
from ops.commands.options import with_reason
from ops.output import clock, console, count, short_clock, table, write_csv
from ops.session import Session, pass_session

HOLD_REASONS: dict[str, str] = {
    HoldReason.SETTLE: "until its settling time ends",
    HoldReason.DIGEST: "until the recipient's daily summary",
    HoldReason.QUIET: "until the recipient's quiet hours end",
    HoldReason.RATE: "SES's maximum send rate reached",
    HoldReason.QUOTA: "SES's daily quota used up",
    HoldReason.SWITCHED_OFF: "deliveries are paused",
    HoldReason.FALLBACK: "fallback for another recipient",
    HoldReason.RESEND: "to be sent again",
    HoldReason.OWN_MAIL: "can no longer share another recipient's mail",
}

COLUMNS = ("delivery_id", "event_id", "recipient_ref", "event_kind", "updated_at")


@click.group("deliveries")
def deliveries_group() -> None:
    """Lists deliveries with a problem, and changes deliveries."""


@deliveries_group.command("unknown")
@click.option("--csv", "as_csv", is_flag=True, help="As CSV, for a spreadsheet.")
@pass_session
def unknown_command(session: Session, as_csv: bool) -> None:
    """Lists deliveries to which SES gave no answer.

    They may have been sent. `ens deliveries resend` sends one again.
    """
    _list(deliveries.in_state(session.context, DeliveryState.UNKNOWN), as_csv)


@deliveries_group.command("held")
@click.option("--csv", "as_csv", is_flag=True, help="As CSV, for a spreadsheet.")
@pass_session
def held_command(session: Session, as_csv: bool) -> None:
    """Lists held deliveries with the reason.

    A delivery is held for a summary, quiet hours, SES's rate or daily quota, a pause, and others.
    """
    switch = pause.read_switch(session.context)
    if switch.state is SwitchState.PAUSED and not as_csv:
        console().print(f"Paused by {name(switch.by)} since {clock(switch.updated_at)} UTC.")
    _list(deliveries.in_state(session.context, DeliveryState.HELD), as_csv)


@deliveries_group.command("problems")
@pass_session
def problems_command(session: Session) -> None:
    """Lists addresses and certificates that failed.

    Addresses bounced or complained; certificates could not be used. Correct the provider directory. The
    next notification uses the new address or certificate. `ens deliveries reopen` uses the same address
    again.
    """
    out, shown = console(), table("recipient", "problem", "reason", "since UTC")
    items = ledger.known_problems(session.deployment)
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


@deliveries_group.command(
    "reopen", epilog="Example: ens deliveries reopen RECIPIENT --reason 'ticket 4711'"
)
@click.argument("recipient", metavar="RECIPIENT")
@with_reason
@pass_session
def reopen_command(session: Session, recipient: str, reason: str) -> None:
    """Uses a recipient's address again that bounced or complained.

    RECIPIENT is the reference in `ens deliveries problems`. First remove the address from the suppression
    list of SES (docs/runbook.md, notification-not-delivered).
    """
    reopened = ledger.reopen(session.deployment, recipient, reason, session.principal)
    used = count(reopened, "address is", "addresses are")
    console().print(f"{used} used again, from the next notification on.")


@deliveries_group.command("resend")
@click.argument("delivery_id")
@pass_session
def resend_command(session: Session, delivery_id: str) -> None:
    """Sends an unknown delivery again, within a minute.

    The provider may get it twice, with the same reference in the subject.
    """
    ledger.resend(session.deployment, delivery_id, session.principal)
    console().print(f"Will be sent again within a minute: {delivery_id}")


@deliveries_group.command(
    "discard", epilog="Example: ens deliveries discard DELIVERY_ID --reason 'ticket 4711'"
)
@click.argument("delivery_ids", nargs=-1, required=True, metavar="DELIVERY_ID...")
@with_reason
@pass_session
def discard_command(session: Session, delivery_ids: tuple[str, ...], reason: str) -> None:
    """Ends held deliveries: their recipients are not told.

    This cannot be taken back. If one of them is not held, none is discarded.
    """
    ledger.discard(session.deployment, delivery_ids, reason, session.principal)
    discarded = count(len(set(delivery_ids)), "delivery", "deliveries")
    console().print(f"{discarded} discarded: not sent, and not sent later.")


@deliveries_group.command("pause")
@pass_session
def pause_command(session: Session) -> None:
    """Holds every delivery of the environment.

    `ens deliveries continue` ends the pause. `ens trace switch#delivery` shows the operator in the audit.
    """
    ledger.switch(session.deployment, SwitchState.PAUSED, session.principal)
    said = "Paused: every notification is held until `ens deliveries continue`."
    console().print(session.typed(said))


@deliveries_group.command("continue")
@pass_session
def continue_command(session: Session) -> None:
    """Ends a pause: held deliveries are sent at the account's rate."""
    ledger.switch(session.deployment, SwitchState.ON, session.principal)
    console().print("Continued: held deliveries are sent within minutes.")


def _reason(item: DeliveryItem) -> str:
    """The hold reason in words, "" for one that is no longer held: it keeps the reason of its last hold.

    A reason of an older version is shown with blanks for underscores.
    """
    if item.state is not DeliveryState.HELD:
        return ""
    return HOLD_REASONS.get(item.hold_reason, item.hold_reason.replace("_", " "))


def _list(items: list[DeliveryItem], as_csv: bool) -> None:
    if as_csv:
        rows = ([getattr(item, column) for column in COLUMNS] for item in items)
        write_csv(COLUMNS, rows, sys.stdout)
        return
    out, shown = console(), table("delivery", "kind", "since UTC", "why")
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
