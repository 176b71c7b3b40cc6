"""A discrete-event simulation: processes are generators that yield the seconds they wait."""

import heapq
import itertools
import random
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

Process = Generator[float, None, Any]


class Simulation:
    """A virtual clock and the processes that wait on it."""

    def __init__(self, start: float) -> None:
        self.now = start
        self._queue: list[tuple[float, int, Process]] = []
        self._order = itertools.count()

    def begin(self, process: Process, moment: float) -> None:
        """Starts a process at a time."""
        heapq.heappush(self._queue, (moment, next(self._order), process))

    def run(self) -> None:
        """Runs until no process waits any more."""
        while self._queue:
            self.now, _, process = heapq.heappop(self._queue)
            for seconds in process:
                self.begin(process, self.now + seconds)
                break


@dataclass(slots=True)
class TokenBucket:
    """A token bucket with the capacity of one second."""

    rate: float
    level: float
    filled_at: float

    def fits(self, amount: float, now: float) -> bool:
        """Whether so many tokens are left at this time, after the refill."""
        self.level = min(self.rate, self.level + (now - self.filled_at) * self.rate)
        self.filled_at = now
        return self.level >= min(amount, self.rate)

    def spend(self, amount: float) -> None:
        """Removes tokens that `fits` has found."""
        self.level -= amount


class ComprehendMedical:
    """Throttles at the account's quota: requests and characters a second, of each operation."""

    def __init__(self, requests: float, characters: float, start: float) -> None:
        self._limits = (requests, characters)
        self._start = start
        self._buckets: dict[str, tuple[TokenBucket, TokenBucket]] = {}
        self.answers: Counter[str] = Counter()

    def answers_to(self, operation: str, characters: int, now: float) -> bool:
        """Whether a request is answered; False: ThrottlingException."""
        made = tuple(TokenBucket(limit, limit, self._start) for limit in self._limits)
        requests, text = self._buckets.setdefault(operation, (made[0], made[1]))
        if not (requests.fits(1, now) and text.fits(characters, now)):
            self.answers["throttled"] += 1
            return False
        requests.spend(1)
        text.spend(characters)
        self.answers["answered"] += 1
        return True


class Account:
    """The functions of one account, which share its concurrency: warm sandboxes first, then new ones."""

    def __init__(self, concurrency: int) -> None:
        self._concurrency = concurrency
        self._running = 0
        self._idle: Counter[str] = Counter()

    def begin(self, function: str) -> bool | None:
        """Whether the function's sandbox is new; None: TooManyRequestsException."""
        if self._running >= self._concurrency:
            return None
        self._running += 1
        if not self._idle[function]:
            return True
        self._idle[function] -= 1
        return False

    def end(self, function: str) -> None:
        """The invocation has ended."""
        self._running -= 1
        self._idle[function] += 1


def latency(median: float) -> float:
    """A latency around a median, with a tail: log-normal, sigma 0.35."""
    return median * random.lognormvariate(0, 0.35)
