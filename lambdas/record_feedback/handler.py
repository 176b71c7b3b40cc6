"""RecordFeedback: what SES says later about a mail (delivered, bounced, …), as EventBridge brings it."""

from lambdas.common.handler import Result, Run, Task, step
from lambdas.record_feedback.feedback import tag
from lambdas.record_feedback.recording import record


def event_id_of(task: Task) -> str:
    """The event id in the mail's tags; "" when the mail was not ours."""
    return tag(task.get("detail", {}), "event_id")


@step("RecordFeedback", event_id_of=event_id_of)
def lambda_handler(task: Task, run: Run) -> Result:
    """What was done with the event: `recorded`, `known` or `not_ours`."""
    return record(task, run)
