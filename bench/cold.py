"""`python -m bench.cold`: measures the import of each step's handler in a new interpreter.

From the step's built asset, with Lambda's search path (asset first, boto3 last, no site-packages) and
compiled bytecode: the part of a cold start that the code causes. The interpreter here is the one that
runs this, not Lambda's, so compare the figures with each other and over time.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from infra.asset import Target, build
from local.functions.runtime import runtime_folder

ROOT = Path(__file__).resolve().parents[1]
_RUNS = 7
_HEAVIEST = 4

# Runs in the fresh interpreter: asset, runtime and module are its arguments.
_IMPORT = """
import importlib, json, resource, sys, time
asset, runtime, module = sys.argv[1:]
sys.path.insert(0, asset)
sys.path.append(runtime)
wall, cpu, before = time.perf_counter(), time.process_time(), len(sys.modules)
importlib.import_module(module)
print(json.dumps({
    "wall_ms": (time.perf_counter() - wall) * 1000,
    "cpu_ms": (time.process_time() - cpu) * 1000,
    "modules": len(sys.modules) - before,
    "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
}))
"""


def steps() -> list[str]:
    """The steps that are functions of their own, in the order of their names."""
    handlers = (ROOT / "lambdas").glob("*/handler.py")
    return sorted(h.parent.name for h in handlers if h.with_name("requirements.txt").exists())


def main(arguments: Sequence[str]) -> int:
    """Measures and prints a table; the exit status."""
    parser = argparse.ArgumentParser(prog="make bench-cold", description=__doc__)
    parser.add_argument("--runs", type=int, default=_RUNS, help="fresh interpreters per step")
    options = parser.parse_args(arguments)
    folder = ROOT / ".build" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    print(f"Importing each handler, median of {options.runs} fresh interpreters")
    print(f"{'':22}{'CPU ms':>8}{'wall ms':>9}{'modules':>9}{'peak MB':>9}   heaviest imports")
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        runtime = runtime_folder(Path(scratch) / "runtime")
        for step in steps():
            asset = Path(scratch) / step
            asset.mkdir()
            build(step, Target.of("host"), asset)
            print(_line(step, asset, runtime, options.runs), flush=True)
            shutil.rmtree(asset)
    return 0


def _line(step: str, asset: Path, runtime: Path, runs: int) -> str:
    module = f"lambdas.{step}.handler"
    _fresh(asset, runtime, module)  # the first run fills the file cache
    seen = [json.loads(_fresh(asset, runtime, module).stdout) for _ in range(runs)]

    def median(name: str) -> float:
        values: list[float] = [one[name] for one in seen]
        return statistics.median(values)

    heaviest = _heaviest(_fresh(asset, runtime, module, "-X", "importtime").stderr)
    return (
        f"{step:22}{median('cpu_ms'):>8.0f}{median('wall_ms'):>9.0f}{median('modules'):>9.0f}"
        f"{median('peak_mb'):>9.0f}   {heaviest}"
    )


def _fresh(
    asset: Path, runtime: Path, module: str, *options: str
) -> "subprocess.CompletedProcess[str]":
    """One import in an interpreter of its own."""
    return subprocess.run(
        [sys.executable, "-I", "-S", *options, "-c", _IMPORT, str(asset), str(runtime), module],
        env={
            "PATH": os.defpath,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            # Powertools and the X-Ray SDK read these to detect Lambda.
            "LAMBDA_TASK_ROOT": str(asset),
            "AWS_LAMBDA_FUNCTION_NAME": module,
        },
        cwd=asset,
        check=True,
        capture_output=True,
        text=True,
    )


def _heaviest(trace: str) -> str:
    """The top-level packages that took longest by themselves, of `-X importtime`'s lines."""
    own: dict[str, int] = {}
    for line in trace.splitlines():
        columns = line.removeprefix("import time:").split("|")
        if len(columns) == 3 and columns[0].strip().isdigit():
            name = columns[2].strip().split(".")[0]
            own[name] = own.get(name, 0) + int(columns[0])
    top = sorted(own.items(), key=lambda item: -item[1])[:_HEAVIEST]
    return ", ".join(f"{name} {microseconds / 1000:.0f}" for name, microseconds in top)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
