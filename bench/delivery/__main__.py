"""Simulates a burst of notifications with an SES that throttles: `make bench-delivery`.

Counts what the account would see: mails in its busiest second, throttled calls, and how long a fresh
notification takes that comes in the middle of the backlog. The clock is the benchmark's own, so that
twelve minutes of sending at the account's rate take as long as the code needs.
"""

import argparse
import os
import statistics
import time
from collections import Counter
from types import SimpleNamespace
from typing import Any

import boto3
from moto import mock_aws

from lambdas.delivery.context import DeliveryContext, DeliverySettings
from lambdas.delivery.ledger.items import MailAccount
from lambdas.delivery.ledger.sending import rate
from tests.conftest import ENVIRONMENT
from tests.support.tables import create_tables

ACCOUNT = MailAccount()
"""The simulated account has no maximum rate: only the setting limits."""


class Ses:
    """Accepts so many mails a second, and throttles all others."""

    def __init__(self, limit: int) -> None:
        self.limit, self.seconds, self.throttled = limit, Counter[int](), 0

    def send(self, second: int) -> None:
        """One SendEmail in this second."""
        self.seconds[second] += 1
        self.throttled += self.seconds[second] > self.limit


def burst(context: DeliveryContext, count: int, limit: int) -> dict[str, Any]:
    """The figures of `count` notifications in the first second at `limit` mails a second."""
    ses, clock = Ses(limit), [1_800_000_000.0]
    setattr(rate, "time", SimpleNamespace(time=lambda: clock[0]))  # noqa: B010 - mypy: no such export
    began, held, fresh_waits = time.perf_counter(), 0, []
    for _ in range(count):
        if rate.may_send(context, False, ACCOUNT, limit):
            ses.send(int(clock[0]))
        else:
            held += 1
    burst_seconds = time.perf_counter() - began
    while held:
        clock[0] += 1
        # One fresh notification in each second of the backlog, after the release took its share.
        while held and rate.may_send(context, True, ACCOUNT, limit):
            ses.send(int(clock[0]))
            held -= 1
        waited = 0
        while not rate.may_send(context, False, ACCOUNT, limit):
            waited += 1
            clock[0] += 1
        ses.send(int(clock[0]))
        fresh_waits.append(waited)
    return {
        "notifications": count,
        "rate": limit,
        "throttled by SES": ses.throttled,
        "mails in the busiest second": max(ses.seconds.values()),
        "seconds until all are sent": int(clock[0] - 1_800_000_000),
        "fresh ones that had to wait": sum(1 for waited in fresh_waits if waited),
        "longest wait of a fresh one (s)": max(fresh_waits, default=0),
        "decision in the burst (ms, mean)": round(burst_seconds / count * 1000, 2),
        "fresh ones among the backlog": len(fresh_waits),
        "mean wait of a fresh one (s)": round(statistics.fmean(fresh_waits or [0]), 2),
    }


def main() -> None:
    """Runs the burst against an in-memory ledger and prints its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--rate", type=int, default=14)
    asked = parser.parse_args()
    os.environ.update(ENVIRONMENT)
    os.environ["ENS_SES_RATE"] = str(asked.rate)
    with mock_aws():
        create_tables(boto3.client("dynamodb"))
        context = DeliveryContext(DeliverySettings.from_environment())
        for name, figure in burst(context, asked.count, asked.rate).items():
            print(f"{name:36} {figure}")


if __name__ == "__main__":
    main()
