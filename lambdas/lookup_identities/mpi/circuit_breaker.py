"""A circuit breaker: an MPI that is down is not asked again at once, by every event that waits.

Its state lasts as long as the function's sandbox. While it is open the step fails as the MPI would make it
fail, so that the workflow's retries and the queue hold the events; then one question tries.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lambdas.common.errors import DependencyUnavailableError
from lambdas.lookup_identities.mpi.outcomes import BrokenAnswerError

FAILURES = 3
"""Questions in a row that have to fail before it opens."""

OPEN_SECONDS = 15.0
"""Time for which it stays open: less than the minute after which the queue delivers an event again."""


class Breaker:
    """Closed, open for a while, then half open: the first question decides."""

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._clock = clock
        self._failures = 0
        self._open_until = 0.0

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Runs a question; raises `DependencyUnavailableError` without asking while it is open.

        A broken answer becomes `DependencyUnavailableError` too, and does not count: the MPI is reachable.
        """
        if self._failures >= FAILURES and self._clock() < self._open_until:
            raise DependencyUnavailableError(f"{self._name}: not asked, it failed just now")
        try:
            yield
        except BrokenAnswerError as error:
            raise DependencyUnavailableError(f"{self._name}'s answer is broken: {error}") from None
        except DependencyUnavailableError:
            self._failures += 1
            self._open_until = self._clock() + OPEN_SECONDS
            raise
        self._failures = 0
