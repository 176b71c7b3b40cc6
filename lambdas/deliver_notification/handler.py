"""DeliverNotification: one recipient is told of one patient event."""

from lambdas.common.contracts.audit import AuditStep
from lambdas.common.contracts.findings import FindingsOutcome
from lambdas.common.contracts.workflow.tasks import (
    DeliverNotificationInput,
    DeliverNotificationResult,
    ExtractEntitiesResult,
)
from lambdas.common.function.handler import Run, step
from lambdas.delivery.context import DeliveryContext, DeliverySettings
from lambdas.delivery.delivery import deliver
from lambdas.delivery.summary import deliver_summary


@step(
    AuditStep.DELIVER_NOTIFICATION,
    DeliverNotificationInput,
    lambda: DeliveryContext(DeliverySettings.from_environment()),
)
def lambda_handler(
    task: DeliverNotificationInput, run: Run, context: DeliveryContext
) -> DeliverNotificationResult:
    """The recipient's reference, the outcome (`sent`, `held` or `unknown`) and the delivery's id.

    A task with `members` is a summary of several held notifications.
    """
    if task.members:
        return deliver_summary(context, task, run)
    result = deliver(context, task, run)
    if not task.released:
        _count_findings(task.clinical, run)
    return result


def _count_findings(clinical: ExtractEntitiesResult, run: Run) -> None:
    """Counts the notification by whether Comprehend Medical answered; one that needed no answer by neither."""
    if clinical.outcome is FindingsOutcome.UNAVAILABLE or clinical.unanswered:
        run.count("FindingsMissing")
    elif clinical.outcome is FindingsOutcome.EXTRACTED:
        run.count("FindingsComplete")
