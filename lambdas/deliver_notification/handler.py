"""DeliverNotification: one recipient is told of one patient event."""

from typing import Any

from lambdas.common.handler import Result, Run, Task, step
from lambdas.delivery.context import DeliveryContext
from lambdas.delivery.delivery import deliver
from lambdas.delivery.settings import DeliverySettings
from lambdas.delivery.summary import deliver_digest


@step("DeliverNotification", lambda: DeliveryContext(DeliverySettings.from_environment()))
def lambda_handler(task: Task, run: Run, context: DeliveryContext) -> Result:
    """The recipient's reference, the outcome (`sent`, `held` or `unknown`) and the delivery's id.

    A task with `members` is a summary of several held notifications.
    """
    if "members" in task:
        return deliver_digest(context, task, run)
    result = deliver(context, task, run)
    if not task.get("released"):
        _count_findings(task["clinical"], run)
    return result


def _count_findings(clinical: dict[str, Any], run: Run) -> None:
    """Counts the notification by whether Comprehend Medical answered; one that needed no answer by neither."""
    if clinical["outcome"] == "unavailable" or clinical.get("unanswered"):
        run.count("FindingsMissing")
    elif clinical["outcome"] == "extracted":
        run.count("FindingsComplete")
