"""Two versions of ExtractEntities: a shared queue for the account's rate, and a fixed rate per function."""

from bench.burst.simulation import SimulatedSandbox, latency
from bench.burst.workflow import (
    EXTRACT_MEDIAN,
    OPERATIONS,
    Event,
    Extract,
    SharedState,
    Steps,
    request,
    settled,
)
from lambdas.extract_entities.comprehend_medical import comprehend, turns
from lambdas.extract_entities.context import ExtractContext
from lambdas.extract_entities.settings import Quota


def in_turn(context: ExtractContext, quota: Quota, wait_seconds: float) -> Extract:
    """The present version: reserved times in DynamoDB, and waits of the workflow."""

    def extract(world: SharedState, event: Event, turn: float, sandbox: SimulatedSandbox) -> Steps:
        yield latency(EXTRACT_MEDIAN)
        clock = world.simulation
        open_ones = [o for o in OPERATIONS if o not in event.answered]
        if not open_ones:
            return 0, 0.0
        begin: float | None = turn
        if not turn:
            cost = comprehend.cost(event.text, open_ones, quota)
            begin = turns.take(context, cost, clock.now, event.started + wait_seconds)
        if begin is None:
            world.counts["no turn in time"] += 1
            return 0, 0.0
        if wait := turns.workflow_wait(begin, clock.now):
            return wait, begin
        yield max(0.0, begin - clock.now)
        for operation in open_ones:
            yield from request(world, event, operation, len(event.text))
        settled(event)
        return 0, 0.0

    return extract


def by_share(rate: float) -> Extract:
    """Each sandbox sends `rate` requests a second, a second's worth of them at once, for 7.5 s."""
    between = 1 / rate
    ahead = between * (max(1, int(rate)) - 1)

    def extract(world: SharedState, event: Event, turn: float, sandbox: SimulatedSandbox) -> Steps:
        yield latency(EXTRACT_MEDIAN)
        clock = world.simulation
        until = clock.now + comprehend.ANSWER_SECONDS
        for operation in OPERATIONS:
            if operation in event.answered:
                continue
            place = max(sandbox.free_at, clock.now)
            if place - ahead >= until:
                break
            sandbox.free_at = place + between
            yield max(0.0, place - ahead - clock.now)
            yield from request(world, event, operation, len(event.text))
        settled(event)
        return 0, 0.0

    return extract
