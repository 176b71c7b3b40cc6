"""Log and metric lines: one JSON object each, in shapes that CloudWatch reads, without values."""

import errno
import io
import json
from typing import Any

from receiver.telemetry.log import Log, where
from receiver.telemetry.metrics import Metrics, Sample


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_counts_and_times_become_embedded_metrics() -> None:
    stream = io.StringIO()
    metrics = Metrics("test", Log(stream))
    metrics.count("Received", 2)
    metrics.count("Received")
    metrics.count("Acknowledged", code="AA")
    metrics.took("AckLatency", 0.0125)
    metrics.flush()
    received, acknowledged, latency = lines(stream)
    directive = received["_aws"]["CloudWatchMetrics"][0]
    assert directive["Namespace"] == "hl7-ens"
    assert directive["Dimensions"] == [["service", "environment"]]
    assert (received["Received"], received["service"]) == (3, "Receiver")
    assert acknowledged["code"] == "AA"
    assert "code" in acknowledged["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0]
    assert latency["AckLatency"] == [12.5]


def test_what_was_flushed_is_not_written_again() -> None:
    stream = io.StringIO()
    metrics = Metrics("test", Log(stream))
    metrics.count("Received")
    metrics.flush()
    metrics.flush()
    assert len(lines(stream)) == 1


def test_no_line_has_more_values_of_a_metric_than_cloudwatch_takes() -> None:
    stream = io.StringIO()
    metrics = Metrics("test", Log(stream))
    for number in range(100):
        metrics.took("StoreLatency", number / 1000)
    for number in range(10_000):
        metrics.took("AckLatency", number / 1000)
    metrics.flush()
    (latency,) = lines(stream)
    assert latency["StoreLatency"] == [float(number) for number in range(100)]
    assert 50 <= len(latency["AckLatency"]) <= 100


def test_what_is_passed_over_leaves_percentiles_and_the_longest_true() -> None:
    sample = Sample()
    for number in range(10_000):
        sample.add(60.0 if number == 4321 else (number * 7919 % 10_000) / 1000)
    values = sample.milliseconds()
    assert values[-1] == 60_000.0
    assert abs(values[len(values) // 2] - 5000) < 700
    assert abs(values[int(len(values) * 0.9)] - 9000) < 700


def test_an_exception_is_told_by_type_and_place_alone() -> None:
    try:
        raise ValueError("Zeta Quill")
    except ValueError as error:
        told = where(error)
    assert told.startswith("ValueError at ")
    assert "Quill" not in told


class FullDisk(io.StringIO):
    def flush(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_line_that_cannot_be_written_is_dropped() -> None:
    """On a full disk a rejected message got no answer, because its line could not be logged."""
    Log(FullDisk()).warning("message rejected")
