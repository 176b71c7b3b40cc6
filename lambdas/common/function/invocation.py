"""The parts that all handlers share: one context, log and metrics, and error texts without values."""

import copy
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

from aws_lambda_powertools import Logger, Metrics
from botocore.exceptions import ClientError

from lambdas.common.errors import EnsError, UnexpectedError
from lambdas.common.function.context import Context
from lambdas.common.function.settings import NAMESPACE

ROOT = Path(__file__).resolve().parents[3]

Document = dict[str, Any]
"""A task or a result as Lambda passes it: JSON, read and written by the contracts."""

C = TypeVar("C", bound=Context)


class LambdaHandler(Generic[C]):
    """The handler of one function: its log, its metrics, and its one context."""

    def __init__(self, name: str, make_context: Callable[[], C]) -> None:
        self._make_context = make_context
        self._logger = Logger(service=name, log_uncaught_exceptions=False)
        self._metrics = Metrics(namespace=NAMESPACE, service=name)

    @cached_property
    def context(self) -> C:
        """The function's context, made at the first invocation and used by all of this sandbox."""
        return self._make_context()

    def with_context(self, context: C) -> Self:
        """The same handler with another context."""
        other = copy.copy(self)
        other.__dict__["context"] = context
        return other

    def _log_failure(self, error: EnsError) -> None:
        self._logger.warning(str(error), error_name=type(error).__name__)


@contextmanager
def planned_errors(failed: Callable[[EnsError], None]) -> Iterator[None]:
    """Calls `failed` with the error of its block, and raises it.

    Errors of `common.errors` are raised unchanged. Any other becomes `UnexpectedError` with its type,
    file and line, because its text may hold a patient's name.
    """
    try:
        yield
    except EnsError as error:
        failed(error)
        raise error from None
    except Exception as unplanned:
        fault = UnexpectedError(where(unplanned))
        failed(fault)
        raise fault from None


def where(error: BaseException) -> str:
    """An exception as `ValueError at lambdas/parse_message/segments/visit.py:87`, for logs and audit.

    Its text may hold a patient's name. An error of a service adds AWS's error code: `ClientError
    AccessDenied at …`.
    """
    code = f" {error.response['Error']['Code']}" if isinstance(error, ClientError) else ""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if Path(f.filename).is_relative_to(ROOT / "lambdas")] or frames
    if not ours:
        return f"{type(error).__name__}{code}"
    file = Path(ours[-1].filename)
    place = file.relative_to(ROOT) if file.is_relative_to(ROOT) else file.name
    return f"{type(error).__name__}{code} at {place}:{ours[-1].lineno}"
