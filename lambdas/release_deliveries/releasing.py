"""Finds the due deliveries and has DeliverNotification make each; the ledger decides.

This function moves nothing to `sent`. If it fails, or runs twice, the next run finds the same items.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from threading import Event

from lambdas.common.clock import iso, milliseconds_since
from lambdas.common.contracts.workflow.delivery_states import DeliveryState
from lambdas.common.contracts.workflow.tasks import ReleaseDeliveriesResult, ReleaseOutcome
from lambdas.common.function.handler import Run
from lambdas.delivery.ledger.deliveries import deliveries, due
from lambdas.delivery.ledger.deliveries.repair import repair
from lambdas.delivery.ledger.items import SETTLED, TOGETHER, DeliveryItem, MailAccount
from lambdas.delivery.ledger.sending import pause
from lambdas.delivery.ledger.sending.mail_account import open_quota
from lambdas.delivery.ledger.sending.rate import SHARE_OF_RELEASES
from lambdas.release_deliveries.context import ReleaseContext
from lambdas.release_deliveries.delivering import deliver, deliver_summary
from lambdas.release_deliveries.ses_quota import measure_quota

AT_ONCE = 8
"""Mails made at the same time: with a fifth of a second each, about forty a second."""

LATEST_START_MS = 40_000
"""The function has 55 s; deliveries that are not begun by then wait for the next minute."""

MAX_PER_SUMMARY = 8
"""Eight full notifications stay below the 100 kB that mail programs show; more are a second mail."""

Job = tuple[str, list[DeliveryItem]]
"""A summary's id with its members; "" with one delivery, or with those of a summary not yet bound."""


def release(context: ReleaseContext, run: Run) -> ReleaseDeliveriesResult:
    """Releases due deliveries, the oldest first, and returns the counts of `due` and of each outcome.

    Nothing while the environment is paused, or while SES's daily quota is used up. A held item without
    `release_at` waits for a person. An unknown one is sent again once, where the environment says so
    and SES has sent no event about it. An unexpected error of one is raised after all others were made.
    """
    moment = datetime.now(UTC)
    resends = context.settings.resends_unknown
    repair(context, resends)
    account = measure_quota(context, run)
    found = due.due_by(context, iso(moment))
    _measure(context, run, found, moment)
    if pause.paused(context):
        return ReleaseDeliveriesResult(due=0, paused=True)
    if account.retry_at > iso(moment):
        return ReleaseDeliveriesResult(due=len(found), quota_reached=True)
    ready = [item for item in found if _is_ready(context, item, resends)]
    made = _all_made(context, _jobs(ready), account, run)
    outcomes = Counter(ReleaseOutcome.FAILED if one.exception() else one.result() for one in made)
    if account.quota_reached and not outcomes.keys() & {ReleaseOutcome.LATER, ReleaseOutcome.QUOTA}:
        open_quota(context, account)
    for outcome, count in outcomes.items():
        run.count(f"Released_{outcome}", count)
    for one in made:
        one.result()  # raises its error, now that all others were made
    return ReleaseDeliveriesResult(due=len(ready), outcomes=dict(outcomes))


def _measure(
    context: ReleaseContext, run: Run, found: list[DeliveryItem], moment: datetime
) -> None:
    """Counts the waiting deliveries and their age for the alarms, also while none may be sent."""
    waiting = due.waiting(context, found, iso(moment))
    oldest = datetime.fromisoformat(waiting.oldest)
    run.count("UnknownDeliveries", waiting.unknown)
    run.count("HeldDeliveries", waiting.held)
    run.count("OverdueDeliveries", waiting.overdue)
    run.count("OldestOverdueSeconds", max(0, int((moment - oldest).total_seconds())))


def _is_ready(context: ReleaseContext, item: DeliveryItem, resends: bool) -> bool:
    """Whether the item may go out now; an unknown one is made ready, or left to a person for good."""
    if item.state is not DeliveryState.UNKNOWN:
        return item.state not in SETTLED
    if resends and deliveries.resend(context, item.delivery_id, once=True):
        return True
    deliveries.leave_to_a_person(context, item.delivery_id)
    return False


def _jobs(ready: Iterable[DeliveryItem]) -> list[Job]:
    """The mails to make, the longest due first: summaries that were bound before or now, and single ones.

    One item alone in a summary goes as a notification of its own.
    """
    bound: dict[str, list[DeliveryItem]] = {}
    fresh: dict[tuple[str, str], list[DeliveryItem]] = {}
    jobs: list[Job] = []
    for item in ready:
        if item.digest_id:
            bound.setdefault(item.digest_id, []).append(item)
        elif item.state is DeliveryState.HELD and item.hold_reason in TOGETHER:
            fresh.setdefault((item.recipient_ref, item.channel), []).append(item)
        else:
            jobs.append(("", [item]))
    jobs += bound.items()
    for items in fresh.values():
        items.sort(key=lambda item: item.claimed_at)
        for start in range(0, len(items), MAX_PER_SUMMARY):
            jobs.append(("", items[start : start + MAX_PER_SUMMARY]))
    return sorted(jobs, key=lambda job: min(item.due_at for item in job[1]))


def _all_made(
    context: ReleaseContext, jobs: list[Job], account: MailAccount, run: Run
) -> list[Future[ReleaseOutcome]]:
    """Each job's outcome, or its error. After the first mail that meets the daily quota, the rest waits.

    After the quota was reached the first mail goes alone: it shows whether there is room again.
    """
    stop, made = Event(), list[Future[ReleaseOutcome]]()
    rate = account.rate(context.settings.ses_rate) * SHARE_OF_RELEASES
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for job in _paced(jobs, rate, run, stop):
            made.append(pool.submit(_made, context, job, run, stop))
            if account.quota_reached:
                wait(made[:1])
    return made


def _paced(jobs: list[Job], rate: float, run: Run, stop: Event) -> Iterator[Job]:
    """The jobs, so many a second, so that the rate refuses none and none overtakes an older one."""
    gap, begins = 1 / rate if rate else 0, time.monotonic()
    for job in jobs:
        pause = begins - time.monotonic()
        if pause > 0 and not _ends(run, stop):
            time.sleep(pause)
        yield job
        # Time that the first mail took is not made up for: the rate counts each second by itself.
        begins = max(begins + gap, time.monotonic())


def _ends(run: Run, stop: Event) -> bool:
    return stop.is_set() or milliseconds_since(run.started_at) > LATEST_START_MS


def _made(context: ReleaseContext, job: Job, run: Run, stop: Event) -> ReleaseOutcome:
    if _ends(run, stop):
        return ReleaseOutcome.LATER
    summary_id, items = job
    if not summary_id and len(items) > 1:
        # Written first, so that the next run finds the same summary if this one fails.
        summary_id, items = deliveries.bind(context, items)
    if summary_id:
        outcome = deliver_summary(context, summary_id, items)
    else:
        outcome = deliver(context, items[0])
    if outcome is ReleaseOutcome.QUOTA:
        stop.set()
    return outcome
