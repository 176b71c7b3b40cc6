"""Starts a benchmark's processes in their own group, measures them through /proc, and ends them by id."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".build" / "bench"
HOST = "127.0.0.1"
BUCKET = "bench-vault"
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
        return sum(map(seconds_of, self._family()))

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
        return sum(memory_mb(pid, name) for pid in self._family())

    def _family(self) -> list[int]:
        return family(self.pid)


@contextmanager
def stub(*options: str) -> Iterator[int]:
    """The port of a new stub of S3 and SQS with these options, on the cores beside what is measured."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = (sys.executable, "-m", "bench.receiver.stub", str(port), *options)
    process = ServerProcess(command, {}, cores()[1], FOLDER / "stub.log")
    try:
        process.wait_until_listening(port)
        yield port
    finally:
        process.stop()


def aws_environment(stub_port: int) -> dict[str, str]:
    """The environment variables with the stub's address and names."""
    return {
        "AWS_ENDPOINT_URL": f"http://{HOST}:{stub_port}",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "ENS_VAULT_BUCKET": BUCKET,
        "ENS_QUEUE_URL": f"http://{HOST}:{stub_port}/123456789012/bench.fifo",
    }


def receiver_environment(port: str, health_port: str) -> dict[str, str]:
    """The environment variables of a receiver beside those of AWS."""
    return {
        "ENS_ENVIRONMENT": "local",
        "ENS_REFERENCE_KEY_SECRET": "arn:aws:secretsmanager:us-east-1:123456789012:secret:stub",
        "ENS_CONFIGURATION_BUCKET": "configuration",
        "ENS_CONFIGURATION_KEY": "configuration.json",
        "ENS_UNKNOWN_SENDERS": "accept",
        "ENS_MLLP_HOST": HOST,
        "ENS_MLLP_PORT": port,
        "ENS_HEALTH_PORT": health_port,
    }


def family(pid: int) -> list[int]:
    """The ids of a process and of all processes below it."""
    found = [pid]
    for one in found:
        found += _children(one)
    return found


def _children(pid: int) -> list[int]:
    children = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children += [int(child) for child in task.read_text().split()]
        except OSError:
            continue  # that thread has just ended
    return children


def seconds_of(pid: int) -> float:
    """User and system time of a process and of its children that it has waited for; 0 when it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return 0
    return sum(map(int, fields[11:15])) / _TICKS  # utime, stime, cutime, cstime (proc(5))


def memory_mb(pid: int, name: str) -> float:
    """A figure of /proc/<pid>/status, such as VmRSS; 0 when the process has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = (int(line.split()[1]) for line in status.splitlines() if line.startswith(name))
    return next(found, 0) / 1024
