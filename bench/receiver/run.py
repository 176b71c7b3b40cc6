"""`python -m bench receiver`: every contender in turn, each cell of the table one closed-loop run.

The contender has a core for itself, the generator and the stub share the rest. A contender's figure is
what it answered divided by the CPU seconds that its processes used meanwhile, so it holds on a busy
machine; latencies do not.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from bench.receiver import generator, messages
from bench.receiver.contenders import Contender, all_contenders
from bench.receiver.processes import HOST, ROOT, NotStartedError, Server, cores, free_port
from bench.receiver.table import Cell, Result, print_tables

FOLDER = ROOT / ".build" / "bench"
CONNECTIONS = (1, 50, 500)
_BUCKET = "bench-vault"
_FULL_SECONDS, _QUICK_SECONDS = 8.0, 1.8
_RAMP_SECONDS = 0.4
_WARM_CONNECTIONS = 50
# On a busy machine a run gives its contender little CPU; then it is repeated.
_LEAST_CPU_SECONDS, _MOST_RUNS = 0.25, 4


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured, and for how long."""

    contenders: tuple[str, ...]
    sizes: tuple[str, ...]
    connections: tuple[int, ...]
    seconds: float
    delay_ms: float


def read_plan(arguments: list[str]) -> Plan:
    """The plan that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench receiver", description=__doc__)
    parser.add_argument("--full", action="store_true", help="longer runs: about 25 minutes")
    parser.add_argument("--only", help="contenders whose names hold one of these, by commas")
    parser.add_argument("--sizes", help=f"of {', '.join(messages.SIZES)}, by commas")
    parser.add_argument("--connections", help="by commas; 1,50,500")
    parser.add_argument("--seconds", type=float, help="how long each cell is measured")
    parser.add_argument("--delay-ms", type=float, default=0.0, help="what each stub call takes")
    options = parser.parse_args(arguments)
    return Plan(
        contenders=tuple((options.only or "").lower().split(",")),
        sizes=tuple(options.sizes.split(",")) if options.sizes else tuple(messages.SIZES),
        connections=tuple(int(n) for n in options.connections.split(","))
        if options.connections
        else CONNECTIONS,
        seconds=options.seconds or (_FULL_SECONDS if options.full else _QUICK_SECONDS),
        delay_ms=options.delay_ms,
    )


def main(arguments: list[str]) -> int:
    """Measures and prints; the exit status."""
    plan = read_plan(arguments)
    FOLDER.mkdir(parents=True, exist_ok=True)
    files = messages.write_all(FOLDER)
    load, made_of = generator.build(FOLDER)
    chosen = [
        contender
        for contender in all_contenders(FOLDER)
        if any(part in contender.name.lower() for part in plan.contenders)
    ]
    print(f"Load generator: {made_of}. Each cell: {plan.seconds} s.", flush=True)
    began = time.monotonic()
    results = []
    for contender in chosen:
        print(f"  {contender.name} ...", end="", flush=True)
        at = time.monotonic()
        results.append(measure(contender, plan, load, files))
        print(f" {results[-1].absent or f'{time.monotonic() - at:.0f} s'}", flush=True)
    baseline = the_calls(plan, next(iter(files.values())))
    print_tables(results, plan.sizes, plan.connections, baseline)
    print(f"\nTook {time.monotonic() - began:.0f} s.")
    return 0


def measure(contender: Contender, plan: Plan, load: list[str], files: dict[str, Path]) -> Result:
    """All cells of one contender; a contender that does not start says why."""
    result = Result(contender)
    if contender.absent:
        result.absent = f"not run: {contender.absent}"
        return result
    try:
        with stub(plan.delay_ms) as stub_port, server(contender, stub_port) as (process, port):
            _, others = cores()

            def run(size: str, connections: int, seconds: float) -> generator.Load:
                return generator.run(
                    load,
                    others,
                    port,
                    connections=connections,
                    seconds=seconds,
                    file=files[size],
                    mode=contender.mode,
                )

            run(plan.sizes[0], _WARM_CONNECTIONS, contender.warm_seconds)
            for size in plan.sizes:
                for connections in plan.connections:
                    run(size, connections, _RAMP_SECONDS)
                    envelopes, cpu = count(stub_port), process.cpu_seconds()
                    seen = [run(size, connections, plan.seconds)]
                    used = process.cpu_seconds() - cpu
                    while used < _LEAST_CPU_SECONDS and len(seen) < _MOST_RUNS:
                        seen.append(run(size, connections, plan.seconds))
                        used = process.cpu_seconds() - cpu
                    stored = count(stub_port) - envelopes
                    result.cells[size, connections] = Cell(tuple(seen), used, stored)
            result.peak_mb = process.peak_mb()
    except NotStartedError as error:
        result.absent = f"not run: {error}"
    except subprocess.SubprocessError as error:
        result.absent = f"stopped: {type(error).__name__}"
    return result


@contextmanager
def stub(delay_ms: float) -> Iterator[int]:
    """The port of a stub of one's own, beside the generator."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "bench.receiver.stub",
        str(port),
        "--delay-ms",
        str(delay_ms),
    ]
    process = Server(command, {}, cores()[1], FOLDER / "stub.log")
    try:
        process.wait_until_listening(port)
        yield port
    finally:
        process.stop()


@contextmanager
def server(contender: Contender, stub_port: int) -> Iterator[tuple[Server, int]]:
    """The contender on its core, and its MLLP port."""
    port, health = free_port(), free_port()

    def filled(text: str) -> str:
        return text.replace("{port}", str(port)).replace("{health}", str(health))

    process = Server(
        [filled(part) for part in contender.command],
        {
            **aws_environment(stub_port),
            **{name: filled(value) for name, value in contender.environment.items()},
        },
        cores()[0],
        FOLDER / f"{contender.slug}.log",
    )
    try:
        process.wait_until_listening(port)
        yield process, port
    finally:
        process.stop()


def aws_environment(stub_port: int) -> dict[str, str]:
    """Where every contender finds the stub, and what it is called there."""
    return {
        "AWS_ENDPOINT_URL": f"http://{HOST}:{stub_port}",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "ENS_VAULT_BUCKET": _BUCKET,
        "ENS_QUEUE_URL": f"http://{HOST}:{stub_port}/123456789012/bench.fifo",
    }


def count(stub_port: int) -> int:
    """How many different messages are on the stub's queue."""
    with urlopen(f"http://{HOST}:{stub_port}/_stub/counts", timeout=5) as answer:
        distinct: int = json.load(answer)["distinct"]
        return distinct


def the_calls(plan: Plan, file: Path) -> dict[str, float]:
    """p50 and p99 of `put_object` and `send_message` one after the other, from one thread."""
    with stub(plan.delay_ms) as stub_port:
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
