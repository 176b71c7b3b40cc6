"""Changes to the workflow interpreter of moto; `install` applies all of them."""

import threading
from collections.abc import Callable
from functools import lru_cache
from queue import Empty, SimpleQueue
from types import SimpleNamespace
from typing import Any

import boto3
from moto.stepfunctions.parser.asl.component.common.path import result_path
from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.component.state.exec import execute_state
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.utils import boto_client, json_path
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from local.patches.patching import replace

IDLE_SECONDS = 30.0
"""Time after which a thread that has nothing to do ends."""

Work = Callable[[], Any]

_validate_definition = StepFunctionsParserBackend._validate_definition
_clients: dict[tuple[str, str, str | None], Any] = {}
_idle: list["_Worker"] = []


def install() -> None:
    """Changes the workflows of this process's moto; calling it again changes nothing."""
    # moto parses the definition with ANTLR when it is created and for each execution: 200 ms for a machine
    # of 30 states. Executions share the program, as the jobs of a Map do: its parts keep no state of an
    # evaluation (moto's comment in iteration_component.py), and counts of retries are in the environment of
    # each execution. Their key there is the identity of the part: moto makes one at the first use, and two
    # at two uses at once.
    replace(ExecutionWorker, "_get_evaluation_entrypoint", _program)
    replace(StepFunctionsParserBackend, "_validate_definition", staticmethod(_validate))
    replace(EvalComponent, "heap_key", property(lambda part: str(id(part))))
    # The parser of a JSONPath builds its grammar's tables anew each time. Each module uses a dialect of its
    # own: jsonpath_ng.ext, and jsonpath_ng.
    for module in (json_path, result_path):
        if not hasattr(module.parse, "cache_info"):
            replace(module, "parse", lru_cache(maxsize=1024)(module.parse))
    replace(boto_client, "boto3", SimpleNamespace(client=_client))
    # moto starts a thread for each task of an execution, and another for each retry, and keeps every one of
    # them in a list for ever. To start one takes as long as a short call.
    replace(execute_state, "Thread", _Task)
    replace(execute_state, "TMP_THREADS", SimpleNamespace(append=lambda _: None))


def _program(worker: ExecutionWorker) -> EvalComponent:
    return _parsed(worker._evaluation_details.state_machine_details.definition)


def _validate(definition: str) -> None:
    """Raises moto's own error for a definition that cannot be parsed."""
    try:
        _parsed(definition)
    except Exception:
        _validate_definition(definition)
        raise


@lru_cache(maxsize=32)
def _parsed(definition: str) -> EvalComponent:
    program, _ = AmazonStateLanguageParser.parse(definition)
    return program


def _client(
    *, region_name: str, service_name: str, endpoint_url: str | None = None, **settings: Any
) -> Any:
    """The client with which a workflow's tasks call a service; moto makes one for each task.

    They differ by region, service and endpoint alone, and try once, so that they keep no count of retries.
    """
    key = region_name, service_name, endpoint_url
    if key not in _clients:
        _clients[key] = boto3.Session().client(
            region_name=region_name,
            service_name=service_name,
            endpoint_url=endpoint_url,
            **settings,
        )
    return _clients[key]


class _Task:
    """The part of a thread that moto uses: its start. The work is done by a thread that is used again."""

    def __init__(self, target: Work, daemon: bool) -> None:
        assert daemon
        self._target = target

    def start(self) -> None:
        try:
            worker = _idle.pop()
        except IndexError:
            worker = _Worker()
        worker.work.put(self._target)


class _Worker:
    """A thread and the work that it waits for. In `_idle` while it has none."""

    def __init__(self) -> None:
        self.work: SimpleQueue[Work] = SimpleQueue()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while (work := self._next()) is not None:
            work()
            _idle.append(self)

    def _next(self) -> Work | None:
        try:
            return self.work.get(timeout=IDLE_SECONDS)
        except Empty:
            pass
        try:
            _idle.remove(self)
        except ValueError:
            return self.work.get()  # it was taken meanwhile, and its work is on the way
        return None
