"""Counts and times, gathered and written as CloudWatch embedded metric lines (EMF)."""

import time
from collections import defaultdict
from typing import Any

from receiver.log import Log

NAMESPACE = "hl7-ens"
# CloudWatch takes at most this many values of a metric in one line.
MAX_VALUES = 100

Dimensions = tuple[tuple[str, str], ...]


class Metrics:
    """Gathers in memory and writes one line per set of dimensions at `flush`. For one thread only."""

    def __init__(self, environment: str, log: Log) -> None:
        self._environment = environment
        self._log = log
        self._counts: dict[Dimensions, dict[str, float]] = defaultdict(lambda: defaultdict(int))
        self._times: dict[str, list[float]] = defaultdict(list)

    def count(self, metric: str, value: float = 1, **dimensions: str) -> None:
        """Adds to a count; dimensions are from closed lists (a code, a reason), never free text."""
        key = tuple(sorted(dimensions.items())) if dimensions else ()
        self._counts[key][metric] += value

    def took(self, metric: str, seconds: float) -> None:
        """Adds one duration, in milliseconds with two decimals."""
        values = self._times[metric]
        values.append(round(seconds * 1000, 2))
        if len(values) >= MAX_VALUES:
            self._write((), {metric: self._times.pop(metric)}, "Milliseconds")

    def flush(self) -> None:
        """Writes everything gathered since the last time."""
        counts, self._counts = self._counts, defaultdict(lambda: defaultdict(int))
        times, self._times = self._times, defaultdict(list)
        for dimensions, metrics in counts.items():
            self._write(dimensions, dict(metrics), "Count")
        if times:
            self._write((), dict(times), "Milliseconds")

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
