"""RecordFeedback: what SES says later about a mail (delivered, bounced, …), as EventBridge brings it."""

from lambdas.common.handler import Result, Run, Task, step
from lambdas.delivery.ledger.context import LedgerContext
from lambdas.delivery.ledger.settings import LedgerSettings
from lambdas.record_feedback.feedback import tag
from lambdas.record_feedback.recording import record


def event_id_of(task: Task) -> str:
    """The event id in the mail's tags; "" when the mail was not ours."""
    return tag(task.get("detail", {}), "event_id")


@step(
    "RecordFeedback",
    lambda: LedgerContext(LedgerSettings.from_environment()),
    event_id_of=event_id_of,
)
def lambda_handler(task: Task, run: Run, context: LedgerContext) -> Result:
    """What was done with the event: `recorded`, `known` or `not_ours`."""
    return record(context, task, run)
