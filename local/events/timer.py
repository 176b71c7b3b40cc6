"""The scheduled rules of the stack, played: each target is called at the pace that its rule names."""

import json
import logging
import re
import threading
from collections.abc import Callable, Mapping
from typing import Any

from moto.events.models import events_backends

from lambdas.common.clock import now
from local.aws.clients import ACCOUNT, REGION

UNIT_SECONDS = {"minute": 60.0, "hour": 3600.0, "day": 86400.0}

log = logging.getLogger(__name__)

Invoke = Callable[[str, bytes], tuple[bytes, bool]]


class Timer:
    """Calls the functions of every rule with a `rate(…)`, until it is stopped.

    `unit_seconds` is the length of a minute, an hour and a day; a test shortens them.
    """

    def __init__(self, invoke: Invoke, unit_seconds: Mapping[str, float] = UNIT_SECONDS) -> None:
        self._invoke = invoke
        self._unit_seconds = unit_seconds
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begins to call, each rule after its own first pause."""
        for rule in _scheduled_rules():
            pause = seconds_of(rule.scheduled_expression, self._unit_seconds)
            if pause and rule.state == "ENABLED":
                thread = threading.Thread(
                    target=self._run, args=(pause, _functions_of(rule)), daemon=True
                )
                self._threads.append(thread)
                thread.start()

    def stop(self) -> None:
        """Lets a call that is under way end, for a few seconds at most."""
        self._stopped.set()
        for thread in self._threads:
            thread.join(timeout=5)

    def _run(self, pause: float, functions: list[str]) -> None:
        while not self._stopped.wait(pause):
            for function in functions:
                event = {"source": "aws.events", "detail-type": "Scheduled Event", "time": now()}
                _, is_error = self._invoke(function, json.dumps(event).encode())
                if is_error:
                    log.error("%s failed on its schedule", function)


def scheduled_functions() -> set[str]:
    """The names of the functions that scheduled rules call."""
    return {name for rule in _scheduled_rules() for name in _functions_of(rule)}


def _scheduled_rules() -> list[Any]:
    rules = events_backends[ACCOUNT][REGION].event_buses["default"].rules.values()
    return [rule for rule in rules if rule.scheduled_expression]


def _functions_of(rule: Any) -> list[str]:
    arns = [target["Arn"] for target in rule.targets]
    return [arn.rpartition(":")[2] for arn in arns if ":function:" in arn]


def seconds_of(expression: str, unit_seconds: Mapping[str, float] = UNIT_SECONDS) -> float:
    """The pause in a `rate(1 minute)`; 0 for any other expression."""
    found = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression)
    return int(found[1]) * unit_seconds[found[2]] if found else 0.0
