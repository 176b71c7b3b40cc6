"""DeliverNotification: one recipient is told of one patient event."""

from lambdas.common.log import Result, Run, Task, step
from lambdas.deliver_notification.delivery import deliver
from lambdas.deliver_notification.digest import deliver_digest


@step("DeliverNotification")
def lambda_handler(task: Task, run: Run) -> Result:
    """The recipient's reference, the outcome (`sent`, `held` or `unknown`) and the delivery's id.

    A task with `members` is a summary of several held notifications.
    """
    return deliver_digest(task, run) if "members" in task else deliver(task, run)
