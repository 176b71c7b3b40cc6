"""Decides the time of a notification: at once, after settling time or quiet hours, or in a summary. Pure."""

from datetime import UTC, datetime, time, timedelta

from lambdas.common.clock import iso, zone_named
from lambdas.common.contracts.recipients.recipient import Recipient
from lambdas.common.contracts.workflow.delivery_states import HoldReason
from lambdas.delivery.ledger.items import TOGETHER


def hold_for(recipient: Recipient, moment: datetime) -> tuple[str, str]:
    """The reason to hold a notification and the end of the hold (ISO 8601, UTC); two "" when it is sent at once.

    Beyond the settling time only the recipient's own choice holds one back: CMS lets a provider choose
    a daily summary, and nobody else for them. An unreadable choice counts as none.
    """
    chosen = own_hours(recipient, moment)
    settling = recipient.settle_until if recipient.settle_until > iso(moment) else ""
    return chosen if chosen[1] >= settling else (HoldReason.SETTLE, settling)


def hold_again(recipient: Recipient, reason: str, moment: datetime) -> tuple[str, str]:
    """The same of a delivery that was held for `reason` and is due.

    Its time may have come in the recipient's quiet hours. Where they chose a summary, one that has waited
    for its hour does not wait for the next day's, and an operator's resend waits for nothing.
    """
    chosen = own_hours(recipient, moment)
    waited = reason in (*TOGETHER, HoldReason.RESEND)
    waited |= chosen[0] == HoldReason.DIGEST and reason in (HoldReason.RATE, HoldReason.QUOTA)
    return ("", "") if waited else chosen


def own_hours(recipient: Recipient, moment: datetime) -> tuple[str, str]:
    """The reason and end of a hold that the recipient chose; two "" to send at once."""
    local = moment.astimezone(zone_named(recipient.time_zone) or UTC)
    hour = _clock(recipient.digest_at)
    if hour is not None:
        return HoldReason.DIGEST, iso(_next(local, hour))
    begin, _, end = recipient.quiet.partition("-")
    start, stop = _clock(begin), _clock(end)
    if start is None or stop is None or start == stop:
        return "", ""
    now = local.time()
    quiet = start <= now < stop if start < stop else now >= start or now < stop
    return (HoldReason.QUIET, iso(_next(local, stop))) if quiet else ("", "")


def _next(local: datetime, hour: time) -> datetime:
    """The next time that the clock on the wall shows the hour, in UTC.

    The hour comes twice in the night in which the clock is set back. Where the clock skips the hour, the
    moment is that of a clock that was not set forward.
    """
    shown = []
    for day in (local.date(), local.date() + timedelta(days=1)):
        first, again = (
            datetime.combine(day, hour.replace(fold=fold), local.tzinfo).astimezone(UTC)
            for fold in (0, 1)
        )
        shown += [first, max(first, again)]
    return min(moment for moment in shown if moment > local)


def _clock(text: str) -> time | None:
    try:
        return time.fromisoformat(text) if len(text) == 5 else None
    except ValueError:
        return None
