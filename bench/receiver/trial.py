"""One contender's trial: started, warmed, and loaded cell by cell beside a stub of its own."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from bench.receiver import generator, idle
from bench.receiver.contenders import Contender
from bench.receiver.processes import (
    FOLDER,
    HOST,
    ROOT,
    NotStartedError,
    ServerProcess,
    aws_environment,
    cores,
    free_port,
    stub,
)
from bench.receiver.table import Cell, Result

_WARM_CONNECTIONS, _WARM_SECONDS, _MAX_WARM_SECONDS = 50, 1.0, 60.0
_RAMP_SECONDS = 0.3
_SETTLE_SECONDS = 3.0
# On a busy machine a run gives its contender little CPU; then it is repeated.
_MIN_CPU_SECONDS, _MAX_RUNS = 0.25, 4
# A run is made long enough for this many answers on each connection, up to so many times its length;
# all runs of a contender together are not made longer than by so many lengths.
_ANSWERS, _MAX_FACTOR, _MAX_EXTRA_LENGTHS = 3, 5, 15
# Cells that begin later than so many lengths of a run after the contender was warm are left out.
_BUDGET = 50


@dataclass(frozen=True, slots=True)
class TrialPlan:
    """The measured servers, message sizes and connections, and the duration of a run."""

    contenders: tuple[str, ...]
    sizes: tuple[str, ...]
    connections: tuple[int, ...]
    seconds: float
    delay_ms: float


class Trial:
    """The cells of one contender."""

    def __init__(
        self,
        contender: Contender,
        plan: TrialPlan,
        load: Path,
        files: dict[str, Path],
        stub: int,
    ) -> None:
        self._contender = contender
        self._plan = plan
        self._load = load
        self._files = files
        self._stub = stub
        self._port = 0
        self._process: ServerProcess | None = None
        self._extra_seconds = _MAX_EXTRA_LENGTHS * plan.seconds
        self._leave_off_at = 0.0

    def run(self, result: Result) -> None:
        """Fills in the result. Raises `NotStartedError` where the contender does not start."""
        try:
            result.idle = idle.watch(self._ready(), self._port)
            for size in self._plan.sizes:
                rate: float | None = None  # answers a second so far
                for connections in self._plan.connections:
                    process = self._ready()
                    if time.monotonic() > self._leave_off_at:
                        return
                    cell = self._cell(process, size, connections, rate)
                    result.cells[size, connections] = cell
                    rate = cell.answered / sum(run.seconds for run in cell.runs)
                    result.peak_mb = max(result.peak_mb, process.peak_mb())
        finally:
            self._stop()

    def _cell(
        self, process: ServerProcess, size: str, connections: int, rate: float | None
    ) -> Cell:
        seconds = self._plan.seconds
        if rate is not None:
            wanted = _ANSWERS * connections / rate if rate else seconds * _MAX_FACTOR
            longest = min(seconds * _MAX_FACTOR, seconds + self._extra_seconds)
            seconds = min(max(seconds, wanted), longest)
            self._extra_seconds -= seconds - self._plan.seconds
        if rate is None or rate > connections:
            self._generate(size, connections, _RAMP_SECONDS)
        envelopes, cpu = count(self._stub), process.cpu_seconds()
        seen = [self._generate(size, connections, seconds)]
        used = process.cpu_seconds() - cpu
        while (
            used < _MIN_CPU_SECONDS
            and len(seen) < _MAX_RUNS
            and seen[-1].answered > _ANSWERS * connections
        ):
            seen.append(self._generate(size, connections, seconds))
            used = process.cpu_seconds() - cpu
        return Cell(tuple(seen), used, count(self._stub) - envelopes)

    def _generate(self, size: str, connections: int, seconds: float) -> generator.Load:
        return generator.run(
            self._load,
            cores()[1],
            self._port,
            connections=connections,
            seconds=seconds,
            file=self._files[size],
            modes=self._contender.modes,
        )

    def _ready(self) -> ServerProcess:
        """The running contender with nothing left to do; a new one where the old one does not finish."""
        patience = max(_SETTLE_SECONDS, self._contender.warm_cpu_seconds / 4)
        if self._process is None or not self._process.settle(patience):
            self._stop()
            self._process = self._start()
        return self._process

    def _start(self) -> ServerProcess:
        """Warms the contender up on all cores, then limits it to one core."""
        self._port, health = free_port(), free_port()
        measured, others = cores()

        def filled(text: str) -> str:
            return text.replace("{port}", str(self._port)).replace("{health}", str(health))

        environment = {name: filled(v) for name, v in self._contender.environment.items()}
        process = ServerProcess(
            [filled(part) for part in self._contender.command],
            {**aws_environment(self._stub), **environment},
            measured | others,
            FOLDER / f"{self._contender.slug}.log",
        )
        try:
            process.wait_until_listening(self._port)
            self._warm(process)
            process.move(measured)
            self._leave_off_at = (
                self._leave_off_at or time.monotonic() + _BUDGET * self._plan.seconds
            )
            process.settle(_SETTLE_SECONDS)
        except BaseException:
            process.stop()
            raise
        return process

    def _warm(self, process: ServerProcess) -> None:
        deadline = time.monotonic() + _MAX_WARM_SECONDS
        seconds = _WARM_SECONDS
        while True:
            self._generate(self._plan.sizes[0], _WARM_CONNECTIONS, seconds)
            seconds = _WARM_SECONDS * 4
            enough = process.cpu_seconds() >= self._contender.warm_cpu_seconds
            if enough or time.monotonic() > deadline:
                return

    def _stop(self) -> None:
        if self._process is not None:
            self._process.stop()
            self._process = None


def measure(contender: Contender, plan: TrialPlan, load: Path, files: dict[str, Path]) -> Result:
    """All cells of one contender; one that does not start, or stops, says why."""
    result = Result(contender)
    if contender.absent:
        result.absent = f"not run: {contender.absent}"
        return result
    try:
        with stub("--delay-ms", str(plan.delay_ms)) as stub_port:
            Trial(contender, plan, load, files, stub_port).run(result)
    except NotStartedError as error:
        result.absent = f"did not start: {error}"
    except (subprocess.SubprocessError, OSError) as error:
        result.absent = f"stopped: {type(error).__name__}"
    return result


def count(stub_port: int) -> int:
    """The number of different messages on the stub's queue."""
    with urlopen(f"http://{HOST}:{stub_port}/_stub/counts", timeout=5) as answer:
        distinct: int = json.load(answer)["distinct"]
        return distinct


def the_calls(plan: TrialPlan, file: Path) -> dict[str, float]:
    """p50 and p99 of `put_object` and `send_message` one after the other, from one thread."""
    with stub("--delay-ms", str(plan.delay_ms)) as stub_port:
        command = ["taskset", "-c", ",".join(map(str, cores()[0])), sys.executable, "-m"]
        done = subprocess.run(
            [*command, "bench.receiver.calls", str(plan.seconds), str(file)],
            cwd=ROOT,
            env={"PATH": "/usr/bin:/bin", **aws_environment(stub_port)},
            check=True,
            capture_output=True,
        )
    document: dict[str, float] = json.loads(done.stdout)
    return document
