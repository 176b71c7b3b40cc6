"""Counts of each sender's feed in the status table: one item for each sender and signal.

A message costs one write, and the end of a window another. A retry within an execution is not counted
again, a redelivered message is. An item holds counts and no patient data.
"""

from contextlib import suppress
from typing import Any

from lambdas.common.aws.item_writes import Update, update
from lambdas.common.aws.items import Item
from lambdas.common.errors import DependencyUnavailableError
from lambdas.common.feed.shares import Share, Signal, judge
from lambdas.common.function.context import Context
from lambdas.common.function.handler import Run

METRICS = {
    Signal.WARNINGS: "WarningsRose",
    Signal.KNOWN_PATIENTS: "UnknownPatientsRose",
}
TEXTS = {
    Signal.WARNINGS: "far more messages of a sender have warnings than usual",
    Signal.KNOWN_PATIENTS: "far fewer patients of a sender are known than usual",
}


def key_of(sender: str, signal: Signal) -> str:
    """The key of a sender's counts. An event's key is 32 hex digits, so that no event has this one."""
    return f"feed#{signal}#{sender}"


def count(context: Context, run: Run, signal: Signal, counted: bool) -> None:
    """Counts a message of the sender, and reports a window that departs from the sender's usual share.

    A departure adds one to the metric of `METRICS` and writes one log line. Of several functions at the
    same time, one does so. If the table cannot be written, the message is not counted and the event goes
    on. Only the first attempt of an execution counts. `counted`: the message has the signal's property.
    """
    if run.attempt:
        return
    with suppress(DependencyUnavailableError):
        departure = _counted(context, key_of(run.sender, signal), signal, counted)
        if departure:
            window, usual = departure
            run.count(METRICS[signal])
            run.logger.warning(
                TEXTS[signal],
                share_percent=window.percent,
                usual_percent=usual.percent,
                messages=int(window.whole),
            )


def _counted(
    context: Context, key: str, signal: Signal, counted: bool
) -> tuple[Share, Share] | None:
    """The window and the usual share where they differ; None otherwise."""
    item = _update(context, key, {}, add={"part": int(counted), "whole": 1}).item
    window = Share(float(item["part"]), float(item["whole"]))
    usual = Share(float(item.get("usual_part", 0)), float(item.get("usual_whole", 0)))
    verdict = judge(signal, window, usual)
    if not verdict.ends or not _ended(context, key, window, usual.plus(window)):
        return None
    return (window, usual) if verdict.departs else None


def _ended(context: Context, key: str, window: Share, usual: Share) -> bool:
    """Adds the window to the usual counts and begins another; False when another function did."""
    # Messages that were counted meanwhile stay in the next window.
    return _update(
        context,
        key,
        {"usual_part": round(usual.part), "usual_whole": round(usual.whole)},
        condition="#whole >= :whole AND #part >= :part",
        values={":part": int(window.part), ":whole": int(window.whole)},
        add={"part": -int(window.part), "whole": -int(window.whole)},
    ).applied


def _update(context: Context, key: str, changes: Item, **more: Any) -> Update:
    return update(context, context.settings.status_table, {"event_id": key}, changes, **more)
