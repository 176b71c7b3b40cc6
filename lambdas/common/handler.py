"""Wraps every handler: binds the event id to log and audit, and removes values from error texts."""

import functools
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from aws_lambda_powertools import Logger, Metrics, Tracer
from botocore.exceptions import ClientError

from lambdas.common.audit import chain
from lambdas.common.aws.items import Item
from lambdas.common.clock import milliseconds_since, now
from lambdas.common.contracts.audit import AuditAction, AuditEntry, AuditOutcome, AuditStep
from lambdas.common.contracts.document import read_as, to_document, without_empty
from lambdas.common.contracts.steps import StepInput
from lambdas.common.errors import (
    DeliveryRefusedError,
    EnsError,
    IdentityNotFoundError,
    UnexpectedError,
)
from lambdas.common.settings import settings

Task = TypeVar("Task", bound=StepInput)
Document = dict[str, Any]
"""A task or a result as Lambda passes it: JSON, read and written by the contracts."""

NAMESPACE = "hl7-ens"
ROOT = Path(__file__).resolve().parents[2]


class Run:
    """One invocation of a step: event, execution, attempt, log and audit."""

    def __init__(
        self, step_name: AuditStep, task: StepInput, logger: Logger, metrics: Metrics
    ) -> None:
        self.step_name = step_name
        self.event_id = task.event.event_id
        self.execution_arn = task.execution_arn
        self.attempt = task.attempt
        self.sender = task.event.sender
        self.started_at = now()
        self.logger = logger
        self.metrics = metrics
        self._noted: list[Item] = []

    def audit(self, action: AuditAction, outcome: AuditOutcome, **facts: Any) -> None:
        """Appends an entry about this step, after the entries buffered by `note()`.

        `facts` are members of `AuditEntry`: references, counts, codes and versions.
        """
        chain.append(self.event_id, *self._noted, self._entry(action, outcome, facts))
        self._noted.clear()

    def audit_of(
        self, event_id: str, action: AuditAction, outcome: AuditOutcome, **facts: Any
    ) -> None:
        """Appends an entry to the chain of another event that this step also handled."""
        chain.append(event_id, self._entry(action, outcome, facts))

    def note(self, action: AuditAction, outcome: AuditOutcome, **facts: Any) -> None:
        """Buffers the entry. It is written in the next `audit()` transaction."""
        self._noted.append(self._entry(action, outcome, facts))

    def _entry(self, action: AuditAction, outcome: AuditOutcome, facts: dict[str, Any]) -> Item:
        of_run: dict[str, Any] = {
            "duration_ms": milliseconds_since(self.started_at),
            "attempt": self.attempt,
            "execution_arn": self.execution_arn,
            "sender": self.sender,
        }
        entry = AuditEntry(
            step=self.step_name,
            actor=f"lambda:{self.step_name}",
            action=action,
            outcome=outcome,
            started_at=self.started_at,
            **(of_run | facts),
        )
        return without_empty(to_document(entry))

    def count(self, metric: str, value: int = 1) -> None:
        """Adds to a CloudWatch metric of the environment (EMF)."""
        self.metrics.add_metric(name=metric, unit="Count", value=value)

    def failed(self, error: EnsError) -> None:
        """Logs the failure and tries to audit it. The workflow's own entry follows in any case."""
        self.logger.warning(str(error), error_name=type(error).__name__)
        if isinstance(error, DeliveryRefusedError | IdentityNotFoundError):
            return  # the step itself has audited it, as REFUSED or UNKNOWN_PATIENT
        try:
            self.audit(
                AuditAction.FAILED,
                AuditOutcome.FAILED,
                error_name=type(error).__name__,
                error=str(error),
            )
        except Exception as unwritten:
            self.logger.error("the failure is not audited", reason=where(unwritten))


def step(
    name: AuditStep, contract: type[Task]
) -> Callable[[Callable[[Task, Run], object]], Callable[[Document, Any], Document]]:
    """Makes `handler(task, run)` the Lambda handler of the state called `name`.

    The task is read as its contract; the result is a value of the step's result class.
    Errors of `common.errors` are raised unchanged. Any other becomes `UnexpectedError` with its type,
    file and line, because its text may hold a patient's name.
    """
    logger = Logger(service=name, log_uncaught_exceptions=False)
    # boto is not patched: X-Ray's patch records error texts, and those of SES hold addresses.
    tracer = Tracer(service=name, auto_patch=False)
    metrics = Metrics(namespace=NAMESPACE, service=name)

    def decorate(handler: Callable[[Task, Run], object]) -> Callable[[Document, Any], Document]:
        @functools.wraps(handler)
        @tracer.capture_lambda_handler(capture_response=False, capture_error=False)
        @metrics.log_metrics
        def lambda_handler(document: Document, context: Any) -> Document:
            # Always one: Powertools warns of an invocation without metrics.
            metrics.add_metric(name="Attempts", unit="Count", value=1)
            task = read_as(contract, document)
            run = Run(name, task, logger, metrics)
            logger.append_keys(
                event_id=run.event_id, execution_arn=run.execution_arn, attempt=run.attempt
            )
            tracer.put_annotation("event_id", run.event_id)
            try:
                metrics.add_dimension("environment", settings().environment)
                result = to_document(handler(task, run))
            except EnsError as error:
                run.failed(error)
                raise error from None
            except Exception as unplanned:
                fault = UnexpectedError(where(unplanned))
                run.failed(fault)
                raise fault from None
            logger.info("done", duration_ms=milliseconds_since(run.started_at))
            return result

        return lambda_handler

    return decorate


def where(error: BaseException) -> str:
    """An exception as `ValueError at lambdas/parse_message/visit.py:87`, without its text.

    An error of a service adds AWS's error code: `ClientError AccessDenied at …`.
    """
    code = f" {error.response['Error']['Code']}" if isinstance(error, ClientError) else ""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if Path(f.filename).is_relative_to(ROOT / "lambdas")] or frames
    if not ours:
        return f"{type(error).__name__}{code}"
    file = Path(ours[-1].filename)
    place = file.relative_to(ROOT) if file.is_relative_to(ROOT) else file.name
    return f"{type(error).__name__}{code} at {place}:{ours[-1].lineno}"
