"""ReleaseDeliveries: every minute, what was held and is due goes out; what died on its way goes on."""

from lambdas.common.handler import Result, Run, Task, step
from lambdas.release_deliveries.context import ReleaseContext
from lambdas.release_deliveries.releasing import release
from lambdas.release_deliveries.settings import ReleaseSettings

SCHEDULE = "releases"
"""The chain under which this function's own failures are audited: it serves no single event."""


@step(
    "ReleaseDeliveries",
    lambda: ReleaseContext(ReleaseSettings.from_environment()),
    event_id_of=lambda _: SCHEDULE,
)
def lambda_handler(task: Task, run: Run, context: ReleaseContext) -> Result:
    """How many deliveries were due, and what became of them, by outcome."""
    return release(context, run)
