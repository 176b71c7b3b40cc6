"""`python -m bench.receiver`: every contender in turn, each cell of the table one closed-loop run.

The contender has a core for itself, the generator and the stub share the rest. A contender's figure is
what it answered divided by the CPU seconds that its processes used meanwhile, so it holds on a busy
machine; latencies do not.
"""

import argparse
import signal
import sys
import time

from bench.receiver import generator, messages
from bench.receiver.contenders import contenders
from bench.receiver.goals import print_goals
from bench.receiver.processes import FOLDER
from bench.receiver.table import print_tables
from bench.receiver.trial import TrialPlan, measure, the_calls

CONNECTIONS = (1, 50, 500)
_FULL_SECONDS, _QUICK_SECONDS = 8.0, 1.6


def read_plan(arguments: list[str]) -> TrialPlan:
    """The plan that the command line asks for."""
    parser = argparse.ArgumentParser(prog="make bench-receiver", description=__doc__)
    parser.add_argument("--full", action="store_true", help="longer runs: about 25 minutes")
    parser.add_argument("--only", help="contenders whose names hold one of these, by commas")
    parser.add_argument("--sizes", help=f"of {', '.join(messages.SIZES)}, by commas")
    parser.add_argument("--connections", help="by commas; 1,50,500")
    parser.add_argument("--seconds", type=float, help="how long each cell is measured")
    parser.add_argument("--delay-ms", type=float, default=0.0, help="what each stub call takes")
    options = parser.parse_args(arguments)
    return TrialPlan(
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
    if not sys.platform.startswith("linux"):
        print("This benchmark reads /proc and keeps processes to cores: it runs on Linux only.")
        return 2
    # Told to stop, it stops what it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    FOLDER.mkdir(parents=True, exist_ok=True)
    files = messages.write_all(FOLDER)
    load = generator.build(FOLDER)
    chosen = contenders(FOLDER, plan.contenders)
    print(f"Each cell: {plan.seconds} s.", flush=True)
    began = time.monotonic()
    results = []
    for contender in chosen:
        print(f"  {contender.name} ...", end="", flush=True)
        at = time.monotonic()
        results.append(measure(contender, plan, load, files))
        print(f" {results[-1].absent or f'{time.monotonic() - at:.0f} s'}", flush=True)
    baseline = the_calls(plan, next(iter(files.values())))
    print_tables(results, plan.sizes, plan.connections, baseline)
    print_goals(results, baseline)
    print(f"\nTook {time.monotonic() - began:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
