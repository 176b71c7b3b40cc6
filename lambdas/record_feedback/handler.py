"""RecordFeedback: records the SES events about a mail (delivered, bounced, …) that EventBridge delivers."""

from lambdas.common.contracts.audit import AuditStep
from lambdas.common.contracts.workflow.tasks import RecordFeedbackInput, RecordFeedbackResult
from lambdas.common.function.handler import Run, step
from lambdas.delivery.ledger.context import LedgerContext, LedgerSettings
from lambdas.record_feedback.recording import record


@step(
    AuditStep.RECORD_FEEDBACK,
    RecordFeedbackInput,
    lambda: LedgerContext(LedgerSettings.from_environment()),
)
def lambda_handler(
    task: RecordFeedbackInput, run: Run, context: LedgerContext
) -> RecordFeedbackResult:
    """Returns the outcome for the event: `recorded`, `known` or `not_ours`."""
    return record(context, task.detail, run)
