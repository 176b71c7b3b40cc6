"""Tell a thread of this process how an execution has ended, so that it need not ask.

It stands for the answer to StartSyncExecution, which moto does not have for parsed machines.
"""

import threading
from collections import OrderedDict

from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication

from local.patches.patching import replace

REMEMBERED = 1000
"""Ended executions; one that ends before somebody waits for it is not missed."""

_changed = threading.Condition()
_ended: OrderedDict[str, str] = OrderedDict()
_terminated = BaseExecutionWorkerCommunication.terminated


def install() -> None:
    """Notes the ends of executions in this process's moto; calling it again changes nothing."""
    if BaseExecutionWorkerCommunication.terminated is _terminated:
        replace(BaseExecutionWorkerCommunication, "terminated", _note)


def wait(execution_arn: str, seconds: float) -> str | None:
    """The status of the execution once it has ended; None when it runs on after these seconds."""
    with _changed:
        _changed.wait_for(lambda: execution_arn in _ended, seconds)
        return _ended.get(execution_arn)


def _note(communication: BaseExecutionWorkerCommunication) -> None:
    execution = communication.execution
    try:
        _terminated(communication)
    finally:
        with _changed:
            _ended[execution.exec_arn] = ExecutionStatus(execution.exec_status).value
            while len(_ended) > REMEMBERED:
                _ended.popitem(last=False)
            _changed.notify_all()
