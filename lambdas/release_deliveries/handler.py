"""ReleaseDeliveries: every minute, sends the held deliveries that are due, and repeats interrupted ones."""

from lambdas.common.contracts.audit import AuditStep
from lambdas.common.contracts.workflow.tasks import ReleaseDeliveriesInput, ReleaseDeliveriesResult
from lambdas.common.function.handler import Run, step
from lambdas.release_deliveries.context import ReleaseContext, ReleaseSettings
from lambdas.release_deliveries.releasing import release


@step(
    AuditStep.RELEASE_DELIVERIES,
    ReleaseDeliveriesInput,
    lambda: ReleaseContext(ReleaseSettings.from_environment()),
)
def lambda_handler(
    task: ReleaseDeliveriesInput, run: Run, context: ReleaseContext
) -> ReleaseDeliveriesResult:
    """The number of due deliveries, and of each outcome."""
    return release(context, run)
