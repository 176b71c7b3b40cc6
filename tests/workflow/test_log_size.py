"""The workflow's log stays small: what CloudWatch Logs would ingest for one event."""

from collections.abc import Iterator

import pytest

from bench.logs.executions import CASES, THREE_TOLD, Execution, executed, workflow_on_moto
from bench.logs.express import Volume, log_events

LIMIT = 24_000


@pytest.fixture(scope="module")
def executions() -> Iterator[dict[str, Execution]]:
    with workflow_on_moto() as workflow:
        yield {case: executed(workflow, name) for case, name in CASES.items()}


def size(execution: Execution, *, data: bool) -> int:
    return Volume.of(log_events(execution.history, data=data)).size


def deliveries(execution: Execution) -> int:
    return sum(1 for event in execution.history if event["type"] == "MapIterationSucceeded")


def test_an_event_with_three_recipients_logs_less_than_24_kb(
    executions: dict[str, Execution],
) -> None:
    notified = executions[THREE_TOLD]
    assert deliveries(notified) == 3
    assert size(notified, data=False) < LIMIT


def test_an_event_that_tells_nobody_logs_less_than_half_of_that(
    executions: dict[str, Execution],
) -> None:
    for case in ("nobody is a recipient", "tells nobody (bed move)"):
        assert size(executions[case], data=False) < LIMIT / 2, case


def test_the_state_stays_small_where_input_and_output_are_logged(
    executions: dict[str, Execution],
) -> None:
    assert size(executions[THREE_TOLD], data=True) < 60_000


def test_the_log_without_data_still_names_every_state_and_holds_no_input(
    executions: dict[str, Execution],
) -> None:
    text = "\n".join(log_events(executions[THREE_TOLD].history, data=False))
    for state in ("ParseMessage", "LookupIdentities", "ExtractEntities", "DeliverNotification"):
        assert f'"name":"{state}"' in text
    assert '"input"' not in text
    assert '"output"' not in text
