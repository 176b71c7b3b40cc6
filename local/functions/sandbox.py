"""One sandbox of a function: a process that holds its unpacked asset and nothing that Lambda would not."""

import contextlib
import json
import os
import select
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from local.functions import worker

INIT_SECONDS = 20.0
"""Longer than Lambda's ten: several sandboxes start at once on a small machine."""


@dataclass(frozen=True, slots=True)
class LambdaFunction:
    """One function of the template. To run, its `environment` needs credentials of its role besides."""

    name: str
    arn: str
    role_arn: str
    handler: str
    asset: Path
    timeout: float
    memory_mb: int
    environment: dict[str, str] = field(repr=False)


class Sandbox:
    """One process that runs a function, one invocation at a time."""

    def __init__(self, function: LambdaFunction, runtime: Path, cache: Path, log: Path) -> None:
        self._function = function
        read_end, write_end = os.pipe()
        self._answers = os.fdopen(read_end, "rb", buffering=0)
        self._poll = select.poll()
        self._poll.register(self._answers)
        self._pending = b""
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    *("-I", "-S", "-X", f"pycache_prefix={cache}"),
                    worker.__file__,
                    *(str(function.asset), str(runtime), function.handler, str(write_end)),
                ],
                cwd=function.asset,
                env=function.environment,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                pass_fds=(write_end,),
                start_new_session=True,
            )
        os.close(write_end)

    def wait_until_ready(self) -> worker.Answer | None:
        """None once the handler is loaded; the error's payload when it cannot be."""
        try:
            answer = self._next_answer(INIT_SECONDS)
        except TimeoutError:
            self.stop()
            return worker.failure("Sandbox.Timedout", "Error: Init timed out", [])
        if answer is None:
            return self._died()
        error: worker.Answer | None = answer.get("init_error")
        return error

    def invoke(self, payload: bytes) -> tuple[bytes, bool]:
        """The handler's answer, or an error's payload and True."""
        request_id = str(uuid.uuid4())
        invocation = {
            "event": json.loads(payload),
            "timeout": self._function.timeout,
            "context": {
                "aws_request_id": request_id,
                "function_name": self._function.name,
                "function_version": "$LATEST",
                "invoked_function_arn": self._function.arn,
                "memory_limit_in_mb": str(self._function.memory_mb),
                "log_group_name": f"/aws/lambda/{self._function.name}",
                "log_stream_name": "local",
            },
        }
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(invocation).encode() + b"\n")
            self._process.stdin.flush()
            answer = self._next_answer(self._function.timeout)
        except TimeoutError:
            self.stop()
            seconds = f"{self._function.timeout:.2f}"
            text = f"RequestId: {request_id} Error: Task timed out after {seconds} seconds"
            return error_answer(worker.failure("Sandbox.Timedout", text, []))
        except BrokenPipeError:
            answer = None
        if answer is None:
            return error_answer(self._died())
        if "error" in answer:
            return error_answer(answer["error"])
        result: str = answer["result"]
        return result.encode(), False

    @property
    def alive(self) -> bool:
        """Whether it can take another invocation."""
        return self._process.poll() is None

    def stop(self) -> None:
        """Ends the process and waits until it is gone."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._answers.close()

    def _died(self) -> worker.Answer:
        self.stop()
        status = self._process.returncode
        how = f"signal: {-status}" if status < 0 else f"exit status {status}"
        return worker.failure("Runtime.ExitError", f"Error: Runtime exited with error: {how}", [])

    def _next_answer(self, seconds: float) -> worker.Answer | None:
        """The next line from the process; None when it ended; `TimeoutError` when it took too long."""
        deadline = time.monotonic() + seconds
        while b"\n" not in self._pending:
            remaining = max(0.0, deadline - time.monotonic())
            if not self._poll.poll(remaining * 1000):
                raise TimeoutError
            piece = self._answers.read(65536)
            if not piece:
                return None
            self._pending += piece
        line, _, self._pending = self._pending.partition(b"\n")
        answer: worker.Answer = json.loads(line)
        return answer


def error_answer(payload: worker.Answer) -> tuple[bytes, bool]:
    """An error's payload as Lambda returns it, and True."""
    return json.dumps(payload).encode(), True
