"""Wraps the handler of a function that a schedule calls and that writes no audit entries of its own.

Like `lambdas.common.handler` it logs, counts, and removes values from error texts. The audit's own
functions use it: the one that writes digests, and the one that verifies, may not append to the trail.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any, Generic, TypeVar

from aws_lambda_powertools import Logger, Metrics

from lambdas.common.clock import milliseconds_since, now
from lambdas.common.context import Context
from lambdas.common.contracts.document import to_document
from lambdas.common.error_place import where
from lambdas.common.errors import EnsError, UnexpectedError
from lambdas.common.settings import NAMESPACE

C = TypeVar("C", bound=Context)


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


class ScheduledHandler(Generic[C]):
    """The Lambda handler of a scheduled function, and its one context, made at the first invocation."""

    def __init__(
        self,
        name: str,
        handler: Callable[[ScheduledRun, C], object],
        make_context: Callable[[], C],
    ) -> None:
        self._handler = handler
        self._make_context = make_context
        self._logger = Logger(service=name, log_uncaught_exceptions=False)
        self._metrics = Metrics(namespace=NAMESPACE, service=name)

    @cached_property
    def context(self) -> C:
        """The function's context."""
        return self._make_context()

    def with_context(self, context: C) -> "ScheduledHandler[C]":
        """The same handler with another context."""
        other = ScheduledHandler(self._logger.service, self._handler, self._make_context)
        other.__dict__["context"] = context
        return other

    def __call__(self, document: dict[str, Any], lambda_context: Any) -> dict[str, Any]:
        """Runs one invocation. `document` is EventBridge's scheduled event, which is not used."""
        result: dict[str, Any] = self._metrics.log_metrics(self._invoke)(document, lambda_context)
        return result

    def _invoke(self, _: dict[str, Any], lambda_context: Any) -> dict[str, Any]:
        self._metrics.add_metric(name="Attempts", unit="Count", value=1)
        started_at = now()
        try:
            self._metrics.add_dimension("environment", self.context.settings.environment)
            run = ScheduledRun(self._logger, self._metrics, lambda_context)
            result = to_document(self._handler(run, self.context))
        except EnsError as error:
            self._logger.warning(str(error), error_name=type(error).__name__)
            raise error from None
        except Exception as unplanned:
            fault = UnexpectedError(where(unplanned))
            self._logger.warning(str(fault), error_name=type(fault).__name__)
            raise fault from None
        self._logger.info("done", duration_ms=milliseconds_since(started_at))
        return result


def scheduled(
    name: str, make_context: Callable[[], C]
) -> Callable[[Callable[[ScheduledRun, C], object]], ScheduledHandler[C]]:
    """Makes `handler(run, context)` the Lambda handler of the function called `name`."""
    return lambda handler: ScheduledHandler(name, handler, make_context)
