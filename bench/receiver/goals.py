"""Compares a run's figures with the receiver's goals."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.receiver.table import Result, best_peer

_ACK_ALONE, _OURS = "hl7-ens, ack alone", "hl7-ens"
_ACK_RATES = {"0.5 kB": 50_000, "60 kB": 15_000}
_TIMES_BEST_PEER = 5.0
_OVER_THE_CALLS_MS = 5.0
_P99_OVER_P50 = 3.0
_PEAK_MB = 120.0


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal: what was wanted, what was seen, and whether that is enough."""

    wanted: str
    seen: str
    met: bool


def print_goals(results: Sequence[Result], calls: dict[str, float]) -> None:
    """Prints a line per goal that this run can judge."""
    goals = [*_of_acknowledging(results), *_of_storing(results, calls)]
    if goals:
        print("\nGoals (the latency ones need a machine with nothing else to do)")
    for goal in goals:
        print(f"  {'met    ' if goal.met else 'NOT MET'}  {goal.wanted}: {goal.seen}")


def _of_acknowledging(results: Sequence[Result]) -> Iterator[Goal]:
    alone = _named(results, _ACK_ALONE)
    for size, wanted in _ACK_RATES.items():
        if alone and (size, 50) in alone.cells:
            rate = alone.cells[size, 50].per_cpu_second
            title = f"framing and acknowledging alone, {size}, 50 connections, {wanted:,}/CPU-s"
            yield Goal(title, f"{rate:,.0f}", rate >= wanted)


def _of_storing(results: Sequence[Result], calls: dict[str, float]) -> Iterator[Goal]:
    ours = _named(results, _OURS)
    if ours is None:
        return
    for (size, connections), cell in ours.cells.items():
        where = f"{size}, {connections} connections"
        p50, p99 = cell.quietest.p50_ms, cell.quietest.p99_ms
        best = best_peer(results, (size, connections))
        if connections == 50 and best:
            times = cell.per_cpu_second / best
            title = f"{_TIMES_BEST_PEER:.0f} times the best peer, {where}"
            yield Goal(title, f"{times:.1f}", times >= _TIMES_BEST_PEER)
        if (size, connections) == (next(iter(ours.cells))[0], 1):
            most = calls["p99_ms"] + _OVER_THE_CALLS_MS
            title = f"p99 at most the two calls' own and 5 ms, {size}, 1 connection, {most:.1f} ms"
            yield Goal(title, f"{p99:.1f} ms", p99 <= most)
        if connections == 500:
            resets = sum(run.resets for run in cell.runs)
            yield Goal(f"no reset, {where}", f"{resets}", not resets)
            title = f"p99 within 3 times p50, {where}"
            yield Goal(title, f"{p99 / max(p50, 0.001):.1f}", p99 <= _P99_OVER_P50 * p50)
    title = f"peak memory below {_PEAK_MB:.0f} MB"
    yield Goal(title, f"{ours.peak_mb:.0f} MB", ours.peak_mb < _PEAK_MB)


def _named(results: Sequence[Result], name: str) -> Result | None:
    return next((r for r in results if r.contender.name == name and r.cells), None)
