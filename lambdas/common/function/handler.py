"""Wraps every handler: binds the event id to log and audit, and removes values from error texts."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from aws_lambda_powertools import Logger, Metrics, Tracer

from hl7.warnings import MessageWarning
from lambdas.common.audit import chain
from lambdas.common.aws.items import Item
from lambdas.common.clock import milliseconds_since, now
from lambdas.common.contracts.audit import AuditAction, AuditEntry, AuditOutcome, AuditStep
from lambdas.common.contracts.document import read_as, to_document
from lambdas.common.contracts.workflow.tasks import StepInput
from lambdas.common.errors import (
    DeliveryRefusedError,
    EnsError,
    IdentityNotFoundError,
)
from lambdas.common.function.context import Context
from lambdas.common.function.invocation import C, Document, LambdaHandler, planned_errors, where

Task = TypeVar("Task", bound=StepInput)
Handler = Callable[[Task, "Run", C], object]


class Run:
    """One invocation of a step: event, execution, attempt, log and audit."""

    def __init__(
        self,
        context: Context,
        step_name: AuditStep,
        task: StepInput,
        logger: Logger,
        metrics: Metrics,
    ) -> None:
        self._context = context
        self.step_name = step_name
        self.event_id = task.event.event_id
        self.execution_arn = task.execution_arn
        self.attempt = task.attempt
        self.sender = task.event.sender
        self.started_at = now()
        self.logger = logger
        self.metrics = metrics
        self._noted: list[AuditEntry] = []
        self._last: dict[str, Item] = {}

    def audit(self, action: AuditAction, outcome: AuditOutcome, **facts: Any) -> None:
        """Appends an entry about this step, after the entries buffered by `note()`.

        `facts` are members of `AuditEntry`: references, counts, codes and versions.
        """
        self.audit_of(self.event_id, *self._noted, self.entry(action, outcome, **facts))
        self._noted.clear()

    def note(self, action: AuditAction, outcome: AuditOutcome, **facts: Any) -> None:
        """Buffers the entry. The next `audit()` writes it."""
        self._noted.append(self.entry(action, outcome, **facts))

    def audit_of(self, event_id: str, *entries: AuditEntry) -> None:
        """Appends entries to the chain of an event that this step handles, as `chain.append`.

        They follow the last entry that this run wrote or read there.
        """
        known = self._last.get(event_id)
        self._last[event_id] = chain.append(self._context, event_id, *entries, head=known)

    def audit_decided(self, event_id: str, decide: chain.Decide) -> bool:
        """Appends the entries that `decide` returns for those of the chain; whether there were any.

        It is asked again when another run was faster (`chain.append_decided`).
        """
        last = chain.append_decided(self._context, event_id, decide)
        if last is not None:
            self._last[event_id] = last
        return last is not None

    def entries(self, event_id: str) -> list[Item]:
        """All entries of an event by time, read consistently; `audit_of` need not read the head again."""
        items = chain.items(self._context, event_id)
        self._last[event_id] = chain.head_of(items)
        return chain.entries_of(items)

    def entry(self, action: AuditAction, outcome: AuditOutcome, **facts: Any) -> AuditEntry:
        """An entry about this step, to be appended; `facts` as `audit`."""
        of_run: dict[str, Any] = {
            "duration_ms": milliseconds_since(self.started_at),
            "attempt": self.attempt,
            "execution_arn": self.execution_arn,
            "sender": self.sender,
        }
        return AuditEntry(
            step=self.step_name,
            actor=f"lambda:{self.step_name}",
            action=action,
            outcome=outcome,
            started_at=self.started_at,
            **(of_run | facts),
        )

    def count(self, metric: str, value: int = 1) -> None:
        """Adds to a CloudWatch metric of the environment (EMF)."""
        self.metrics.add_metric(name=metric, unit="Count", value=value)

    def log_warnings(self, warnings: Sequence[MessageWarning]) -> None:
        """Logs each kind of warning once, for the count by sender and kind (infra/monitoring/feeds.py)."""
        for code in dict.fromkeys(one.code for one in warnings):
            self.logger.info("the message has a warning", warning_code=code)

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


class StepHandler(LambdaHandler[C], Generic[Task, C]):
    """The Lambda handler of a state.

    The task is read as its contract; the result is a value of the step's result class. Errors are raised
    as `planned_errors` says.
    """

    def __init__(
        self,
        name: AuditStep,
        contract: type[Task],
        handler: Handler[Task, C],
        make_context: Callable[[], C],
    ) -> None:
        super().__init__(name, make_context)
        self.name = name
        self._contract = contract
        self._handler = handler
        # boto is not patched: X-Ray's patch records error texts, and those of SES hold addresses.
        self._tracer = Tracer(service=name, auto_patch=False)

    def __call__(self, document: Document, lambda_context: Any) -> Document:
        """Runs one invocation, with its trace, metrics, log and audit."""
        traced = self._tracer.capture_lambda_handler(
            self._metrics.log_metrics(self._invoke), capture_response=False, capture_error=False
        )
        result: Document = traced(document, lambda_context)
        return result

    def _invoke(self, document: Document, _: Any) -> Document:
        # Always one: Powertools warns of an invocation without metrics.
        self._metrics.add_metric(name="Attempts", unit="Count", value=1)
        # Without a task or settings there is no audit: the workflow's own entry follows.
        with planned_errors(self._log_failure):
            task, context = read_as(self._contract, document), self.context
        run = Run(context, self.name, task, self._logger, self._metrics)
        self._tracer.put_annotation("event_id", run.event_id)
        with self._logger.append_context_keys(
            event_id=run.event_id,
            execution_arn=run.execution_arn,
            attempt=run.attempt,
            sender=run.sender,
        ):
            with planned_errors(run.failed):
                self._metrics.add_dimension("environment", context.settings.environment)
                result = to_document(self._handler(task, run, context))
            self._logger.info("done", duration_ms=milliseconds_since(run.started_at))
        return result


def step(
    name: AuditStep, contract: type[Task], make_context: Callable[[], C]
) -> Callable[[Handler[Task, C]], StepHandler[Task, C]]:
    """Makes `handler(task, run, context)` the Lambda handler of the state called `name`."""
    return lambda handler: StepHandler(name, contract, handler, make_context)
