"""Simulates one event's workflow in virtual time, with the retries and waits of the ASL file."""

import json
import random
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any, Protocol

from botocore.retries.standard import ExponentialBackoff

from bench.burst.simulation import (
    Account,
    ComprehendMedical,
    SimulatedFunction,
    SimulatedSandbox,
    Simulation,
    latency,
)
from lambdas.common.contracts.recipients.preferences import CostMode
from lambdas.extract_entities.comprehend_medical.comprehend import CONFIG
from lambdas.extract_entities.comprehend_medical.operations import COST_MODES

OPERATIONS = COST_MODES[CostMode.FULL]
ATTEMPTS: int = CONFIG.retries["total_max_attempts"]

MEDIANS = {"ParseMessage": 0.15, "LookupIdentities": 0.15, "DeliverNotification": 0.3}
"""Seconds of a warm function, without Comprehend Medical's answer."""
EXTRACT_MEDIAN, CALL_MEDIAN, COLD = 0.1, 0.4, 1.2

THROTTLED, UNAVAILABLE = "Lambda.TooManyRequestsException", "DependencyUnavailableError"
RETURN_SECONDS, VISIBILITY_SECONDS, SOON = 60, 720, 3
"""Seconds until the queue delivers a failed message again (ReturnSoon,
infra/core/stores/queues.py)."""


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
    functions: dict[str, SimulatedFunction]
    retriers: dict[str, list[dict[str, Any]]]
    counts: Counter[str] = field(default_factory=Counter)


Steps = Generator[float, None, Any]


class Extract(Protocol):
    """A version of the calls to Comprehend Medical for one event."""

    def __call__(
        self, world: SharedState, event: Event, turn: float, sandbox: SimulatedSandbox
    ) -> Steps:
        """Runs in one invocation; returns the seconds to wait (0: done) and the turn to come back with."""


def retriers_of(definition: str) -> dict[str, list[dict[str, Any]]]:
    """Each step's Retry in a state machine's definition."""
    states = json.loads(definition)["States"]
    inner = states["DeliverAll"]["ItemProcessor"]["States"]
    return {name: (states | inner)[name]["Retry"] for name in ("ExtractEntities", *MEDIANS)}


def way(world: SharedState, event: Event, extract: Extract) -> Steps:
    """The event from the queue to the notification, as often as the queue has to deliver it."""
    while True:
        event.receives += 1
        event.started = world.simulation.now
        try:
            yield from _execution(world, event, extract)
        except StepError:
            world.counts["failed executions"] += 1
            yield RETURN_SECONDS if event.receives <= SOON else VISIBILITY_SECONDS
        else:
            event.told_at = world.simulation.now
            return


def _execution(world: SharedState, event: Event, extract: Extract) -> Steps:
    for step in ("ParseMessage", "LookupIdentities"):
        yield from _task(world, step, _work(MEDIANS[step]))
    turn = 0.0
    try:
        while True:
            wait, turn = yield from _task(
                world,
                "ExtractEntities",
                partial(extract, world, event, turn),
            )
            if not wait:
                break
            world.counts["deferred"] += 1
            yield wait
    except StepError:
        world.counts["went on without ExtractEntities"] += 1
    event.lost = event.answered != set(OPERATIONS)
    yield from _task(world, "DeliverNotification", _work(MEDIANS["DeliverNotification"]))


def _work(median: float) -> Callable[[SimulatedSandbox], Steps]:
    def run(_: SimulatedSandbox) -> Steps:
        yield latency(median)

    return run


def _task(world: SharedState, step: str, work: Callable[[SimulatedSandbox], Steps]) -> Steps:
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


def _invocation(world: SharedState, step: str, work: Callable[[SimulatedSandbox], Steps]) -> Steps:
    function = world.functions[step]
    found = world.account.sandbox(function)
    if found is None:
        world.counts["refused by Lambda"] += 1
        raise StepError(THROTTLED)
    sandbox, new = found
    try:
        if new:
            yield COLD
        return (yield from work(sandbox))
    finally:
        world.account.release(function, sandbox)


def request(world: SharedState, event: Event, operation: str, characters: int) -> Steps:
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


def settled(event: Event) -> None:
    """`StepError` when nothing at all was answered, as the function raises it."""
    if not event.answered:
        raise StepError(UNAVAILABLE)
