"""Starts a benchmark's processes in their own group, measures them through /proc, and ends them by id."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
_TICKS = os.sysconf("SC_CLK_TCK")
_START_SECONDS = 40.0
_STOP_SECONDS = 8.0
_QUIET_SECONDS, _QUIET_SHARE = 0.2, 0.1


class NotStartedError(Exception):
    """A process ended, or did not listen in time. The text is the end of what it wrote."""


def free_port() -> int:
    """A port of the loopback interface that nobody listens on now."""
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def cores() -> tuple[set[int], set[int]]:
    """The core for what is measured, and those for what measures it; the same when there is only one."""
    mine = sorted(os.sched_getaffinity(0))
    return {mine[0]}, set(mine[1:]) or {mine[0]}


class ServerProcess:
    """A server on one set of cores, with its children."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], on: set[int], log: Path
    ) -> None:
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                ["taskset", "-c", ",".join(map(str, sorted(on))), *command],
                cwd=ROOT,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._process.pid

    def wait_until_listening(self, port: int) -> None:
        """Returns once the port takes a connection; raises `NotStartedError`."""
        deadline = time.monotonic() + _START_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection((HOST, port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        self.stop()
        lines = self._log.read_text(errors="replace").strip().splitlines()
        raise NotStartedError(lines[-1][:200] if lines else "it wrote nothing")

    def cpu_seconds(self) -> float:
        """User and system time of the process and of all its children, living or waited for."""
        return sum(_ticks(pid) for pid in self._family()) / _TICKS

    def move(self, on: set[int]) -> None:
        """Keeps all its threads to these cores from now on; threads to come inherit that."""
        for pid in self._family():
            for task in Path(f"/proc/{pid}/task").iterdir():
                with suppress(OSError):  # that thread has just ended
                    os.sched_setaffinity(int(task.name), on)

    def settle(self, seconds: float) -> bool:
        """Waits until it does nothing, at most so long; False when it is still at work then.

        After an overload, a server still works on requests that its clients have given up.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            before = self.cpu_seconds()
            time.sleep(_QUIET_SECONDS)
            if self.cpu_seconds() - before <= _QUIET_SECONDS * _QUIET_SHARE:
                return True
        return False

    def peak_mb(self) -> float:
        """The highest resident memory of the process, its children's added."""
        return self._memory_mb("VmHWM")

    def resident_mb(self) -> float:
        """The resident memory of the process now, its children's added."""
        return self._memory_mb("VmRSS")

    def stop(self) -> None:
        """Ends it and its children."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is None:
                os.killpg(self._process.pid, number)
                try:
                    self._process.wait(_STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    continue

    def _memory_mb(self, name: str) -> float:
        return sum(_status_kb(pid, name) for pid in self._family()) / 1024

    def _family(self) -> list[int]:
        family = [self._process.pid]
        for pid in family:
            family += _children(pid)
        return family


def _children(pid: int) -> list[int]:
    children = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children += [int(child) for child in task.read_text().split()]
        except OSError:
            continue  # that thread has just ended
    return children


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return 0
    return sum(int(ticks) for ticks in fields[11:15])  # utime, stime, cutime, cstime


def _status_kb(pid: int, name: str) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith(name)), 0)
