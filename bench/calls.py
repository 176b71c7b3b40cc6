"""`python -m bench.calls`: the billed AWS calls of one event, by kind of event, counted on moto.

Each case is a real execution of the state machine's file with the real handlers, as in bench.logs.
The vault's copy of the message and the queue's three calls, which receiver and pipe make, are included.
"""

import contextlib
import io
from collections import Counter
from collections.abc import Iterator
from typing import Any

import botocore.client

OURS = ("DescribeExecution", "GetExecutionHistory", "StartExecution")
"""Calls of the benchmark itself."""


def main() -> None:
    """Prints a line for each case: calls by service and operation."""
    for case, counts in measured().items():
        print(f"{case}: {', '.join(f'{n} {call}' for call, n in sorted(counts.items()))}")


def measured() -> dict[str, Counter[str]]:
    """Returns the calls of each case by `service Operation`.

    A transaction or a batch counts each of its items, because DynamoDB bills these.
    """
    found = {}
    with contextlib.redirect_stdout(io.StringIO()):
        # Imported here: the handlers' loggers keep the stdout of their import.
        from bench.logs.executions import CASES, executed, workflow_on_moto

        with workflow_on_moto() as workflow, _counted() as counts:
            for case, name in CASES.items():
                counts.clear()
                executed(workflow, name)
                found[case] = Counter(counts)
    return found


@contextlib.contextmanager
def _counted() -> Iterator[Counter[str]]:
    """Counts the calls of every boto3 client until the end of the block."""
    counts: Counter[str] = Counter()
    original = botocore.client.BaseClient._make_api_call

    def counting(self: Any, operation: str, parameters: dict[str, Any]) -> Any:
        if operation not in OURS:
            counts[f"{self.meta.service_model.service_name} {operation}"] += _items(parameters)
        return original(self, operation, parameters)

    botocore.client.BaseClient._make_api_call = counting
    try:
        yield counts
    finally:
        botocore.client.BaseClient._make_api_call = original


def _items(parameters: dict[str, Any]) -> int:
    """Returns the number of items of a TransactWriteItems or BatchGetItem request, 1 of any other."""
    if "TransactItems" in parameters:
        return len(parameters["TransactItems"])
    if "RequestItems" in parameters:
        return sum(len(table["Keys"]) for table in parameters["RequestItems"].values())
    return 1


if __name__ == "__main__":
    main()
