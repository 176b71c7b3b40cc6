"""Simulates one event's workflow in virtual time, with the retries and waits of the ASL file."""

import json
import random
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any

from botocore.retries.standard import ExponentialBackoff

from bench.burst.simulation import (
    Account,
    ComprehendMedical,
    Simulation,
    latency,
)
from lambdas.common.contracts.recipients.preferences import CostMode
from lambdas.extract_entities.comprehend_medical import comprehend, turns
from lambdas.extract_entities.comprehend_medical.operations import COST_MODES
from lambdas.extract_entities.context import ExtractContext, Quota

OPERATIONS = COST_MODES[CostMode.FULL]
ATTEMPTS: int = comprehend.CONFIG.retries["total_max_attempts"]

MEDIANS = {"ParseMessage": 0.15, "LookupIdentities": 0.15, "DeliverNotification": 0.3}
"""Seconds of a warm function, without Comprehend Medical's answer."""
EXTRACT_MEDIAN, CALL_MEDIAN, COLD = 0.1, 0.4, 1.2

THROTTLED, UNAVAILABLE = "Lambda.TooManyRequestsException", "DependencyUnavailableError"
RETURN_SECONDS, VISIBILITY_SECONDS, SOON = 60, 720, 3
"""Seconds until the queue delivers a failed message again (ReturnSoon, infra/core/stores/queues.py)."""


class StepError(Exception):
    """Raised for a failed function, with the error's name."""


@dataclass(slots=True)
class Event:
    """One event: its note and its result. `answered` counts operations."""

    text: str
    arrived: float
    receives: int = 0
    started: float = 0.0
    answered: set[str] = field(default_factory=set)
    lost: bool = True
    told_at: float = 0.0


@dataclass(slots=True)
class SharedState:
    """The state that all events share."""

    simulation: Simulation
    account: Account
    service: ComprehendMedical
    context: ExtractContext
    quota: Quota
    wait_seconds: float
    retriers: dict[str, list[dict[str, Any]]]


Steps = Generator[float, None, Any]


def retriers_of(definition: str) -> dict[str, list[dict[str, Any]]]:
    """Each step's Retry in a state machine's definition."""
    states = json.loads(definition)["States"]
    inner = states["DeliverAll"]["ItemProcessor"]["States"]
    return {name: (states | inner)[name]["Retry"] for name in ("ExtractEntities", *MEDIANS)}


def way(world: SharedState, event: Event) -> Steps:
    """The event from the queue to the notification, as often as the queue has to deliver it."""
    while True:
        event.receives += 1
        event.started = world.simulation.now
        try:
            yield from _execution(world, event)
        except StepError:
            yield RETURN_SECONDS if event.receives <= SOON else VISIBILITY_SECONDS
        else:
            event.told_at = world.simulation.now
            return


def _execution(world: SharedState, event: Event) -> Steps:
    for step in ("ParseMessage", "LookupIdentities"):
        yield from _task(world, step, partial(_work, MEDIANS[step]))
    turn = 0.0
    with suppress(StepError):  # the event goes on without findings
        while True:
            extract = partial(_extract, world, event, turn)
            wait, turn = yield from _task(world, "ExtractEntities", extract)
            if not wait:
                break
            yield wait
    event.lost = event.answered != set(OPERATIONS)
    yield from _task(world, "DeliverNotification", partial(_work, MEDIANS["DeliverNotification"]))


def _work(median: float) -> Steps:
    yield latency(median)


def _extract(world: SharedState, event: Event, turn: float) -> Steps:
    """One invocation of ExtractEntities. Returns the seconds to wait (0: done) and the turn to come back with."""
    yield latency(EXTRACT_MEDIAN)
    clock = world.simulation
    open_ones = [o for o in OPERATIONS if o not in event.answered]
    if not open_ones:
        return 0, 0.0
    begin: float | None = turn
    if not turn:
        cost = comprehend.cost(event.text, open_ones, world.quota)
        begin = turns.take(world.context, cost, clock.now, event.started + world.wait_seconds)
    if begin is None:
        return 0, 0.0
    if wait := turns.workflow_wait(begin, clock.now):
        return wait, begin
    yield max(0.0, begin - clock.now)
    for operation in open_ones:
        yield from _request(world, event, operation, len(event.text))
    if not event.answered:
        raise StepError(UNAVAILABLE)
    return 0, 0.0


def _task(world: SharedState, step: str, work: Callable[[], Steps]) -> Steps:
    """Invokes a function with the state's Retry; `StepError` when that is used up."""
    used: Counter[int] = Counter()
    while True:
        try:
            return (yield from _invocation(world, step, work))
        except StepError as error:
            retriers = world.retriers[step]
            index = next(
                (n for n, r in enumerate(retriers) if str(error) in r["ErrorEquals"]), None
            )
            if index is None or used[index] >= retriers[index]["MaxAttempts"]:
                raise
            retrier = retriers[index]
            longest = retrier["IntervalSeconds"] * retrier["BackoffRate"] ** used[index]
            used[index] += 1
            yield random.uniform(0, min(retrier["MaxDelaySeconds"], longest))


def _invocation(world: SharedState, step: str, work: Callable[[], Steps]) -> Steps:
    is_new = world.account.begin(step)
    if is_new is None:
        raise StepError(THROTTLED)
    try:
        if is_new:
            yield COLD
        return (yield from work())
    finally:
        world.account.end(step)


def _request(world: SharedState, event: Event, operation: str, characters: int) -> Steps:
    """One request with botocore's own back-off between its attempts; counts the operation as answered."""
    for attempt in range(1, ATTEMPTS + 1):
        if world.service.answers_to(operation, characters, world.simulation.now):
            yield latency(CALL_MEDIAN)
            event.answered.add(operation)
            return
        if attempt < ATTEMPTS:
            yield ExponentialBackoff().delay_amount(
                SimpleNamespace(attempt_number=attempt, http_response=None)
            )
