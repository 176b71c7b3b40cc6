"""ReleaseDeliveries: every minute, what was held and is due goes out; what died on its way goes on."""

from lambdas.common.contracts.audit import AuditStep
from lambdas.common.contracts.steps import ReleaseDeliveriesInput, ReleaseDeliveriesResult
from lambdas.common.handler import Run, step
from lambdas.release_deliveries.releasing import release


@step(AuditStep.RELEASE_DELIVERIES, ReleaseDeliveriesInput)
def lambda_handler(task: ReleaseDeliveriesInput, run: Run) -> ReleaseDeliveriesResult:
    """How many deliveries were due, and what became of them, by outcome."""
    return release(run)
