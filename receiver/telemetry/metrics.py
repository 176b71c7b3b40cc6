"""Collects counts and times and writes them as CloudWatch embedded metric lines (EMF)."""

import time
from collections import defaultdict
from typing import Any

from receiver.telemetry.log import Log

NAMESPACE = "hl7-ens"
# CloudWatch takes at most this many values of a metric in one line.
MAX_VALUES = 100

Dimensions = tuple[tuple[str, str], ...]


class Sample:
    """A sample of durations in seconds: all up to `MAX_VALUES`, then every 2nd, every 4th and so on.

    The longest is always included. Percentiles stay accurate, and the number of values is limited.
    """

    def __init__(self) -> None:
        self._kept: list[float] = []
        self._longest = 0.0
        self._step = self._ahead = 1

    def add(self, seconds: float) -> None:
        """Adds a duration, or skips it."""
        self._longest = max(self._longest, seconds)
        self._ahead -= 1
        if self._ahead:
            return
        if len(self._kept) == MAX_VALUES:
            self._kept = self._kept[1::2]
            self._step *= 2
        self._kept.append(seconds)
        self._ahead = self._step

    def milliseconds(self) -> list[float]:
        """The sample in milliseconds with two decimals, the longest last."""
        values = sorted(self._kept)
        values[-1] = self._longest
        return [round(seconds * 1000, 2) for seconds in values]


class Metrics:
    """Collects in memory and writes one line per set of dimensions at `flush`. Not thread-safe."""

    def __init__(self, environment: str, log: Log) -> None:
        self._environment = environment
        self._log = log
        self._counts: dict[Dimensions, dict[str, float]] = defaultdict(lambda: defaultdict(int))
        self._times: dict[str, Sample] = defaultdict(Sample)

    def count(self, metric: str, value: float = 1, **dimensions: str) -> None:
        """Adds to a count; dimensions are from closed lists (a code, a reason), never free text."""
        self._counts[tuple(dimensions.items())][metric] += value

    def took(self, metric: str, seconds: float) -> None:
        """Adds one duration; it is written in milliseconds."""
        self._times[metric].add(seconds)

    def flush(self) -> None:
        """Writes everything collected since the last flush."""
        counts, self._counts = self._counts, defaultdict(lambda: defaultdict(int))
        times, self._times = self._times, defaultdict(Sample)
        for dimensions, metrics in counts.items():
            self._write(dimensions, dict(metrics), "Count")
        if times:
            milliseconds = {metric: sample.milliseconds() for metric, sample in times.items()}
            self._write((), milliseconds, "Milliseconds")

    def _write(self, dimensions: Dimensions, metrics: dict[str, Any], unit: str) -> None:
        names = ["service", "environment", *(name for name, _ in dimensions)]
        self._log.line(
            {
                "_aws": {
                    "Timestamp": int(time.time() * 1000),
                    "CloudWatchMetrics": [
                        {
                            "Namespace": NAMESPACE,
                            "Dimensions": [names],
                            "Metrics": [{"Name": name, "Unit": unit} for name in metrics],
                        }
                    ],
                },
                "service": "Receiver",
                "environment": self._environment,
                **dict(dimensions),
                **metrics,
            }
        )
