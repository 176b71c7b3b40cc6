"""RecordFeedback: what SES says later about a mail (delivered, bounced, …), as EventBridge brings it."""

from lambdas.common.contracts.audit import AuditStep
from lambdas.common.contracts.steps import RecordFeedbackInput, RecordFeedbackResult
from lambdas.common.handler import Run, step
from lambdas.record_feedback.recording import record


@step(AuditStep.RECORD_FEEDBACK, RecordFeedbackInput)
def lambda_handler(task: RecordFeedbackInput, run: Run) -> RecordFeedbackResult:
    """What was done with the event: `recorded`, `known` or `not_ours`."""
    return record(task.detail, run)
