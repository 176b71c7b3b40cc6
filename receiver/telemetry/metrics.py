"""Collects counts and times and writes them as CloudWatch embedded metric lines (EMF)."""

import time
from collections import defaultdict
from typing import Any

from receiver.telemetry.log import Log

NAMESPACE = "hl7-ens"
# At most 100 values of a metric in one EMF line (CloudWatch, "Embedded metric format specification").
MAX_VALUES = 100

Dimensions = tuple[tuple[str, str], ...]


class Sample:
    """An evenly spread sample of at most `MAX_VALUES` durations, with the longest among them.

    It holds all durations up to `MAX_VALUES`, then every 2nd, every 4th and so on.
    """

    def __init__(self) -> None:
        self._values: list[float] = []
        self._longest = 0.0
        self._step = self._until_next = 1

    def add(self, seconds: float) -> None:
        """Adds a duration in seconds to the sample, or skips it."""
        self._longest = max(self._longest, seconds)
        self._until_next -= 1
        if self._until_next:
            return
        if len(self._values) == MAX_VALUES:
            self._values = self._values[1::2]
            self._step *= 2
        self._values.append(seconds)
        self._until_next = self._step

    def milliseconds(self) -> list[float]:
        """Returns the sample in milliseconds with two decimals, in ascending order."""
        values = sorted(self._values)
        values[-1] = self._longest
        return [round(seconds * 1000, 2) for seconds in values]


class Metrics:
    """Collects metrics and writes one line for each set of dimensions at `flush`. Not thread-safe."""

    def __init__(self, environment: str, log: Log) -> None:
        self._environment = environment
        self._log = log
        self._counts: dict[Dimensions, dict[str, float]] = defaultdict(lambda: defaultdict(int))
        self._times: dict[str, Sample] = defaultdict(Sample)

    def count(self, metric: str, value: float = 1, **dimensions: str) -> None:
        """Adds to a count. Dimensions have values from closed lists (a code, a reason)."""
        self._counts[tuple(dimensions.items())][metric] += value

    def took(self, metric: str, seconds: float) -> None:
        """Adds one duration in seconds. It is written in milliseconds."""
        self._times[metric].add(seconds)

    def flush(self) -> None:
        """Writes all metrics collected since the last flush."""
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
