"""DeliverNotification: one recipient is told of one patient event."""

from lambdas.common.log import Result, Run, Task, step
from lambdas.deliver_notification.delivery import deliver


@step("DeliverNotification")
def lambda_handler(task: Task, run: Run) -> Result:
    """The recipient's reference, the outcome (`sent` or `unknown`) and the delivery's id."""
    return deliver(task, run)
