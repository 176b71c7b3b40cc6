"""ExtractEntities: conditions and medications in the message's notes."""

from datetime import datetime

from lambdas.common.aws.vault import read_document, write_document
from lambdas.common.clock import milliseconds_since
from lambdas.common.contracts.audit import AuditAction, AuditOutcome, AuditStep
from lambdas.common.contracts.findings import ClinicalFindings, FindingsOutcome
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.notes import SkippedReason
from lambdas.common.contracts.workflow.tasks import ExtractEntitiesInput, ExtractEntitiesResult
from lambdas.common.function.handler import Run, step
from lambdas.extract_entities.comprehend_medical import comprehend
from lambdas.extract_entities.context import ExtractContext, ExtractSettings
from lambdas.extract_entities.cost_mode import mode_for
from lambdas.extract_entities.extracting import Deferral, Extraction, ServiceSlot, extract

UNANSWERED = (SkippedReason.SERVICE, SkippedReason.TIME)
"""Reasons of `not_analysed` caused by Comprehend Medical, not by the notes."""


@step(
    AuditStep.EXTRACT_ENTITIES,
    ExtractEntitiesInput,
    lambda: ExtractContext(ExtractSettings.from_environment()),
)
def lambda_handler(
    task: ExtractEntitiesInput, run: Run, context: ExtractContext
) -> ExtractEntitiesResult:
    """Writes `clinical.json` and returns the numbers of conditions and medications.

    `unanswered` counts parts that the service did not answer in time. In a burst the outcome is `deferred`:
    the workflow waits `wait_seconds` and calls again with the `turn` that is returned here. Raises
    `DependencyUnavailableError` or `ConfigurationError`; the workflow then continues without findings.
    """
    turn = ServiceSlot(
        at=task.turn / 1000,
        latest=datetime.fromisoformat(task.started_at).timestamp() + context.settings.wait_seconds,
    )
    event = read_document(context, run.event_id, PatientEvent, task.parsed.version_id)
    mode = mode_for(context.settings.cost_mode, task.recipients, context.settings.full_in_clear)
    seconds = comprehend.ANSWER_SECONDS - milliseconds_since(run.started_at) / 1000
    result = extract(context, event, mode, seconds, turn)
    return (
        _deferred(result, run) if isinstance(result, Deferral) else _recorded(context, result, run)
    )


def _deferred(deferral: Deferral, run: Run) -> ExtractEntitiesResult:
    """Returns the turn, in milliseconds since the epoch, and the whole seconds that the workflow waits."""
    run.logger.info("waits for its turn", seconds=deferral.seconds)
    run.count("FindingsDeferred")
    return ExtractEntitiesResult(
        outcome=FindingsOutcome.DEFERRED,
        turn=round(deferral.at * 1000),
        wait_seconds=deferral.seconds,
    )


def _recorded(context: ExtractContext, extraction: Extraction, run: Run) -> ExtractEntitiesResult:
    findings = extraction.findings
    written = write_document(context, run.event_id, ClinicalFindings, findings)
    counts = {
        "conditions": len(findings.conditions),
        "medications": len(findings.medications),
        "set_aside": sum(findings.set_aside.values()),
        "requests": extraction.requests,
        "from_cache": extraction.from_cache,
        "not_analysed": len(findings.not_analysed),
    }
    run.count("ComprehendMedicalUnits", sum(extraction.units.values()))
    for operation, units in extraction.units.items():
        run.count(f"Units{operation}", units)
    unanswered = [gap for gap in findings.not_analysed if gap.reason in UNANSWERED]
    # Once for each operation and code: "InferICD10CM TooManyRequestsException", "InferICD10CM time".
    faults = dict.fromkeys(
        gap.detail if gap.reason is SkippedReason.SERVICE else f"{gap.detail} {gap.reason}"
        for gap in unanswered
    )
    run.audit(
        AuditAction.EXTRACTED,
        AuditOutcome.OK,
        result=findings.outcome,
        cost_mode=findings.cost_mode,
        counts=counts,
        units=extraction.units,
        set_aside=findings.set_aside,
        error=", ".join(faults) or None,
        documents=(written,),
    )
    return ExtractEntitiesResult(
        outcome=findings.outcome,
        conditions=counts["conditions"],
        medications=counts["medications"],
        unanswered=len(unanswered),
        version_id=written.version_id,
    )
