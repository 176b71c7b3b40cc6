"""`python -m bench.burst`: 1,000 notifications in a minute against a Comprehend Medical that throttles.

The clock is virtual. Turns are the product's own code on a DynamoDB of moto, retries and waits are those of
the state machine's file, and the back-off between attempts is botocore's. Latencies are assumed: warm
functions 0.1 to 0.3 s, a cold start 1.2 s, an answer of Comprehend Medical 0.4 s (medians, log-normal).
"""

import argparse
import json
import os
import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import boto3
from moto import mock_aws

from bench.burst.simulation import Account, ComprehendMedical, Simulation
from bench.burst.workflow import Event, SharedState, retriers_of, way
from environments import load
from lambdas.extract_entities.context import ExtractContext, ExtractSettings, Quota
from tests.conftest import ENVIRONMENT
from tests.support.tables import create_tables
from tests.support.workflow import ASL_FILE

START = 1_800_000_000.0
EVENTS = 1_000
NOTES = Path(__file__).resolve().parents[1] / "clinical" / "held_out" / "notes"
PROD = load("prod")
QUOTA = Quota(PROD.comprehend_rate, PROD.comprehend_characters)
WAIT_SECONDS = PROD.findings_wait_seconds


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario: arrival of notifications, length of their notes, quotas of the account."""

    name: str
    within_seconds: float
    note_length: int = 0
    concurrency: int = 1_000


SCENARIOS = (
    Scenario("over a minute", 60),
    Scenario("all in one second", 1),
    Scenario("all in one second, notes of 2,000 characters", 1, note_length=2_000),
    Scenario("over a minute, Lambda concurrency 100", 60, concurrency=100),
    Scenario("over a minute, Lambda concurrency 10", 60, concurrency=10),
)


@dataclass(frozen=True, slots=True)
class Figures:
    """The result: share of events without findings, and delays until the notification."""

    lost: float
    p50: float
    p99: float
    longest: float
    throttled: int


def _run(scenario: Scenario) -> Figures:
    random.seed(7)
    simulation = Simulation(START)
    world = SharedState(
        simulation,
        Account(scenario.concurrency),
        ComprehendMedical(QUOTA.requests, QUOTA.characters, START),
        ExtractContext(ExtractSettings.from_environment()),
        QUOTA,
        WAIT_SECONDS,
        retriers_of(ASL_FILE.read_text()),
    )
    notes = [json.loads(file.read_text())["text"] for file in sorted(NOTES.glob("*.json"))]
    events = [
        Event(
            _note(notes, scenario.note_length), START + random.uniform(0, scenario.within_seconds)
        )
        for _ in range(EVENTS)
    ]
    for event in events:
        simulation.begin(way(world, event), event.arrived)
    simulation.run()
    delays = sorted(event.told_at - event.arrived for event in events)
    return Figures(
        lost=sum(event.lost for event in events) / len(events),
        p50=statistics.median(delays),
        p99=delays[int(len(delays) * 0.99)],
        longest=delays[-1],
        throttled=world.service.answers["throttled"],
    )


def _note(notes: Sequence[str], length: int) -> str:
    text = random.choice(notes)
    return (text * (length // len(text) + 1))[:length] if length else text


def main() -> None:
    """Prints a row for each scenario."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    os.environ.update(ENVIRONMENT)
    print(
        f"quota {QUOTA.requests:.0f} requests and {QUOTA.characters:,.0f} characters a second of"
        f" each operation; an event waits {WAIT_SECONDS} s at most for its turn\n"
    )
    print(f"{'':46}{'lost':>7}{'p50 s':>8}{'p99 s':>8}{'max s':>8}{'throttled':>11}")
    for scenario in SCENARIOS:
        found = measured(scenario)
        print(
            f"{scenario.name:46}{found.lost:7.1%}{found.p50:8.1f}{found.p99:8.1f}"
            f"{found.longest:8.1f}{found.throttled:11,}"
        )


def measured(scenario: Scenario) -> Figures:
    """The figures of one scenario over a DynamoDB of its own."""
    with mock_aws():
        create_tables(boto3.client("dynamodb"))
        return _run(scenario)


if __name__ == "__main__":
    main()
