"""Log and metric lines: one JSON object each, in shapes that CloudWatch reads, without values."""

import io
import json
from typing import Any

from receiver.log import Log, where
from receiver.metrics import Metrics


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
    for _ in range(250):
        metrics.took("AckLatency", 0.001)
    metrics.flush()
    assert [len(line["AckLatency"]) for line in lines(stream)] == [100, 100, 50]


def test_an_exception_is_told_by_type_and_place_alone() -> None:
    try:
        raise ValueError("Zeta Quill")
    except ValueError as error:
        told = where(error)
    assert told.startswith("ValueError at ")
    assert "Quill" not in told
