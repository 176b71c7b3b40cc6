"""`ens` in a process of its own for each call, without the second in which it is imported each time.

`python -m tests.support.ens` imports `ens` once and forks for each line of stdin: a JSON document with
arguments, environment and the files of stdout and stderr. It answers with the exit status.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ops.cli import main

ROOT = Path(__file__).resolve().parents[2]
LONGEST_SECONDS = 120
"""A command that takes longer is ended by SIGALRM: its status is -14."""


@dataclass(frozen=True, slots=True)
class EnsResult:
    """The end of one call, and all that it has printed."""

    status: int
    output: str
    errors: str


class EnsProcesses:
    """Runs `ens`; the calls see the checkout and nothing of one another."""

    def __init__(self, folder: Path) -> None:
        self._output, self._errors = folder / "ens.txt", folder / "ens-errors.txt"
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
            "errors": str(self._errors),
        }
        self._server.stdin.write(json.dumps(asked) + "\n")
        self._server.stdin.flush()
        status = int(self._server.stdout.readline())
        return EnsResult(status, self._output.read_text("utf-8"), self._errors.read_text("utf-8"))

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
            _run(**asked)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _run(arguments: list[str], environment: dict[str, str], output: str, errors: str) -> None:
    """Becomes `ens ARGUMENTS…`, stdout and stderr in the files, and ends the process."""
    signal.alarm(LONGEST_SECONDS)
    os.environ.clear()
    os.environ.update(environment)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for descriptor, path in ((1, output), (2, errors)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), descriptor)
    try:
        main(arguments, prog_name="ens")
    except SystemExit as end:
        sys.stdout.flush()
        sys.stderr.flush()
        # At once: to take the modules apart would take as long as the command.
        os._exit(end.code if isinstance(end.code, int) else 1)


if __name__ == "__main__":
    serve()
