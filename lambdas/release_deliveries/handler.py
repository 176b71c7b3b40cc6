"""ReleaseDeliveries: every minute, what was held and is due goes out; what died on its way goes on."""

from lambdas.common.handler import Result, Run, Task, step
from lambdas.release_deliveries.releasing import release

SCHEDULE = "releases"
"""The chain under which this function's own failures are audited: it serves no single event."""


@step("ReleaseDeliveries", event_id_of=lambda _: SCHEDULE)
def lambda_handler(task: Task, run: Run) -> Result:
    """How many deliveries were due, and what became of them, by outcome."""
    return release(run)
