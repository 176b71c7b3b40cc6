"""The load generator, `load.c`."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.receiver.processes import HOST, ROOT

_SOURCE = Path(__file__).with_name("load.c")
# Seconds by which a generator may exceed its time: connecting, and sorting its samples.
_GRACE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Load:
    """The result of one closed-loop run. Latencies are from a message's first byte to its whole answer."""

    seconds: float
    answered: int
    refused: int
    resets: int
    refused_connects: int
    p50_ms: float
    p99_ms: float
    max_ms: float


def build(folder: Path) -> Path:
    """The generator's program, built into `folder` from the source beside this file. It needs a C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise SystemExit("This benchmark needs a C compiler: install cc, gcc or clang.")
    program = folder / "load"
    if not program.exists() or program.stat().st_mtime < _SOURCE.stat().st_mtime:
        subprocess.run([compiler, "-O2", "-o", str(program), str(_SOURCE)], check=True)
    return program


def run(
    program: Path,
    on: set[int],
    port: int,
    *,
    connections: int,
    seconds: float,
    file: Path,
    modes: Sequence[str] = (),
) -> Load:
    """Loads the server at `port` and returns what was seen. `modes` are load.c's last arguments."""
    line = [
        "taskset",
        "-c",
        ",".join(map(str, sorted(on))),
        str(program),
        HOST,
        str(port),
        str(connections),
        str(seconds),
        str(file),
        *modes,
    ]
    done = subprocess.run(
        line, cwd=ROOT, check=True, capture_output=True, timeout=seconds + _GRACE_SECONDS
    )
    return Load(**json.loads(done.stdout))
