"""`ens` in a process of its own for each call, without the second in which it is imported each time.

`python -m tests.support.ens` imports `ens` once and forks for each line of stdin: a JSON document with
arguments, environment and the file of the output. It answers with the exit status.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ops.cli import main

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class EnsResult:
    """The output of one call, and its end."""

    status: int
    output: str


class EnsProcesses:
    """Runs `ens`; the calls see the checkout and nothing of one another."""

    def __init__(self, folder: Path) -> None:
        self._output = folder / "ens.txt"
        self._server: subprocess.Popen[str] | None = None

    def run(self, arguments: Sequence[str], environment: Mapping[str, str]) -> EnsResult:
        """Runs one command to its end."""
        if self._server is None:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "tests.support.ens"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._server.stdin is not None and self._server.stdout is not None
        asked = {
            "arguments": list(arguments),
            "environment": dict(environment),
            "output": str(self._output),
        }
        self._server.stdin.write(json.dumps(asked) + "\n")
        self._server.stdin.flush()
        status = int(self._server.stdout.readline())
        return EnsResult(status, self._output.read_text("utf-8"))

    def stop(self) -> None:
        """Ends the server."""
        if self._server is not None:
            self._server.communicate()


def serve() -> None:
    """Runs each command that a line of stdin names in a fork of this process, one at a time."""
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            _run(asked["arguments"], asked["environment"], asked["output"])
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _run(arguments: list[str], environment: dict[str, str], output: str) -> None:
    """Becomes `ens ARGUMENTS…`, its output in the file, and ends the process."""
    os.environ.clear()
    os.environ.update(environment)
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(file, 1)
    os.dup2(file, 2)
    try:
        main(arguments, prog_name="ens")
    except SystemExit as end:
        sys.stdout.flush()
        sys.stderr.flush()
        # At once: to take the modules apart would take as long as the command.
        os._exit(end.code if isinstance(end.code, int) else 1)


if __name__ == "__main__":
    serve()
