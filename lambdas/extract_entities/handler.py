"""ExtractEntities: conditions and medications in the message's notes."""

from lambdas.common.clock import milliseconds_since
from lambdas.common.log import Result, Run, Task, step
from lambdas.common.models import PatientEvent
from lambdas.common.vault import read_document, write_document
from lambdas.extract_entities import comprehend
from lambdas.extract_entities.extracting import extract
from lambdas.extract_entities.settings import cost_mode, full_in_clear
from lambdas.extract_entities.wishes import mode_for


@step("ExtractEntities")
def lambda_handler(task: Task, run: Run) -> Result:
    """How many conditions and medications were found; writes `clinical.json`.

    Raises `DependencyUnavailableError` or `ConfigurationError`; the workflow then goes on without.
    """
    document = read_document(run.event_id, "event.json", task["parsed"]["version_id"])
    mode = mode_for(cost_mode(), task["recipients"], full_in_clear())
    seconds = comprehend.SECONDS - milliseconds_since(run.started_at) / 1000
    extraction = extract(PatientEvent.from_dict(document), mode, seconds)
    findings = extraction.findings
    written = write_document(run.event_id, "clinical.json", findings.to_dict())
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
    run.audit(
        "EXTRACTED",
        "ok",
        result=findings.outcome,
        cost_mode=findings.cost_mode,
        counts=counts,
        units=extraction.units,
        set_aside=findings.set_aside,
        documents=[written.to_dict()],
    )
    return {
        "outcome": findings.outcome,
        "conditions": counts["conditions"],
        "medications": counts["medications"],
        "version_id": written.version_id,
    }
