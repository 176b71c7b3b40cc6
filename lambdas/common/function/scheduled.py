"""Wraps the handler of a function that a schedule calls and that writes no audit entries of its own.

Like `lambdas.common.function.handler` it logs, counts, and removes values from error texts. The audit's own
functions use it: the one that writes digests, and the one that verifies, may not append to the trail.
"""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from lambdas.common.clock import milliseconds_since, now
from lambdas.common.contracts.document import to_document
from lambdas.common.function.invocation import C, Document, LambdaHandler, planned_errors


class ScheduledRun:
    """One invocation: its log, its metrics and the time that it has left."""

    def __init__(self, logger: Logger, metrics: Metrics, lambda_context: Any) -> None:
        self.logger = logger
        self._metrics = metrics
        self._lambda_context = lambda_context

    def count(self, metric: str, value: int = 1) -> None:
        """Adds to a CloudWatch metric of the environment (EMF)."""
        self._metrics.add_metric(name=metric, unit="Count", value=value)

    @property
    def remaining_seconds(self) -> float:
        """The time until Lambda ends the invocation."""
        milliseconds: int = self._lambda_context.get_remaining_time_in_millis()
        return milliseconds / 1000


class ScheduledHandler(LambdaHandler[C]):
    """The Lambda handler of a scheduled function. Errors are raised as `planned_errors` says."""

    def __init__(
        self,
        name: str,
        handler: Callable[[ScheduledRun, C], object],
        make_context: Callable[[], C],
    ) -> None:
        super().__init__(name, make_context)
        self._handler = handler

    def __call__(self, document: Document, lambda_context: Any) -> Document:
        """Runs one invocation. `document` is EventBridge's scheduled event, which is not used."""
        result: Document = self._metrics.log_metrics(self._invoke)(document, lambda_context)
        return result

    def _invoke(self, _: Document, lambda_context: Any) -> Document:
        self._metrics.add_metric(name="Attempts", unit="Count", value=1)
        started_at = now()
        with planned_errors(self._log_failure):
            self._metrics.add_dimension("environment", self.context.settings.environment)
            run = ScheduledRun(self._logger, self._metrics, lambda_context)
            result = to_document(self._handler(run, self.context))
        self._logger.info("done", duration_ms=milliseconds_since(started_at))
        return result


def scheduled(
    name: str, make_context: Callable[[], C]
) -> Callable[[Callable[[ScheduledRun, C], object]], ScheduledHandler[C]]:
    """Makes `handler(run, context)` the Lambda handler of the function called `name`."""
    return lambda handler: ScheduledHandler(name, handler, make_context)
