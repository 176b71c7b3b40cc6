"""The tables that a run ends with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.receiver.contenders import Contender
from bench.receiver.generator import Load
from bench.receiver.idle import CONNECTIONS, Idle

_MIN_CPU_SECONDS = 0.05  # below it a rate says nothing


@dataclass(frozen=True, slots=True)
class Cell:
    """Closed-loop runs of one kind: what the generator saw, what the contender used, what was queued."""

    runs: tuple[Load, ...]
    cpu_seconds: float
    stored: int

    @property
    def answered(self) -> int:
        """Positive answers."""
        return sum(run.answered for run in self.runs)

    @property
    def per_cpu_second(self) -> float:
        """Positive answers per CPU second of the contender."""
        return self.answered / self.cpu_seconds if self.cpu_seconds >= _MIN_CPU_SECONDS else 0.0

    @property
    def quietest(self) -> Load:
        """The run with the lowest p50: the one that other work on the machine disturbed least."""
        return min(self.runs, key=lambda run: run.p50_ms)


@dataclass(slots=True)
class Result:
    """All cells of a contender, or why there are none."""

    contender: Contender
    cells: dict[tuple[str, int], Cell] = field(default_factory=dict)
    peak_mb: float = 0.0
    idle: Idle | None = None
    absent: str = ""


def print_tables(
    results: Sequence[Result],
    sizes: Sequence[str],
    connections: Sequence[int],
    calls: dict[str, float],
) -> None:
    """Prints messages per CPU second, latencies, memory, ratios to the best peer, and what went wrong."""
    columns = [(size, count) for size in sizes for count in connections]
    heads = [f"{size} {count}c" for size, count in columns]

    _section("Messages per CPU second", heads, "peak MB")
    for result in results:
        values = _shown(result, columns, lambda _, cell: _number(cell.per_cpu_second))
        _row(result, values, f"{result.peak_mb:.0f}")

    best = {column: best_peer(results, column) for column in columns}
    if any(best.values()):
        _section("As a ratio to the best peer that stores", heads)
        for result in results:
            _row(result, _shown(result, columns, lambda at, cell: _ratio(cell, best[at])))

    _section("ACK latency, p50 / p99 ms", heads)
    for result in results:
        _row(result, _shown(result, columns, lambda _, cell: _latency(cell.quietest)))
    print(
        f"\nPut and send alone, by boto3, one after the other ({sizes[0]}): "
        f"p50 {calls['p50_ms']:.2f} ms, p99 {calls['p99_ms']:.2f} ms, CPU {calls['cpu_ms']:.2f} ms."
    )
    _section(f"{CONNECTIONS} idle connections", ["more MB", "CPU ms/s", "still open"])
    for result in results:
        if found := result.idle:
            _row(result, [f"{found.mb:.1f}", f"{found.cpu_ms:.1f}", str(found.held)])
    _complaints(results, columns)


def _shown(
    result: Result,
    columns: Sequence[tuple[str, int]],
    show: Callable[[tuple[str, int], Cell], str],
) -> list[str]:
    """A contender's cells as text; empty when it has none."""
    if not result.cells:
        return []
    return [show(at, result.cells[at]) if at in result.cells else "-" for at in columns]


def best_peer(results: Sequence[Result], column: tuple[str, int]) -> float:
    """The most messages per CPU second of a peer that stores; 0 when none was measured."""
    rates = [
        result.cells[column].per_cpu_second
        for result in results
        if result.contender.peer and result.contender.stores and column in result.cells
    ]
    return max(rates, default=0.0)


def _complaints(results: Sequence[Result], columns: Sequence[tuple[str, int]]) -> None:
    """Returns resets, negative answers, and positive answers without a stored message."""
    lines = []
    for result in results:
        if result.absent:
            lines.append(f"  {result.contender.name}: {result.absent}")
        elif any(at not in result.cells for at in columns):
            lines.append(f"  {result.contender.name}: cells left out, it took too long")
        for (size, count), cell in result.cells.items():
            told = {
                "connections closed by the server": sum(run.resets for run in cell.runs),
                "connections refused": sum(run.refused_connects for run in cell.runs),
                "negative answers": sum(run.refused for run in cell.runs),
                "acknowledged but not stored": max(0, cell.answered - cell.stored)
                if result.contender.stores
                else 0,
                "answers in all": cell.answered if cell.answered < count else 0,
            }
            faults = [f"{number} {what}" for what, number in told.items() if number]
            if not cell.answered:
                faults.append("no answer")
            if faults:
                lines.append(f"  {result.contender.name}, {size} {count}c: {', '.join(faults)}")
    if lines:
        print("\nTo know:", *lines, sep="\n")


def _section(title: str, heads: list[str], last: str = "") -> None:
    print(f"\n{title}\n{'':26}" + "".join(f"{head:>14}" for head in heads) + f"{last:>10}")


def _row(result: Result, values: list[str], last: str = "") -> None:
    name = f"{result.contender.name:26}"
    if result.absent and not values:
        print(f"{name}  {result.absent}")
    else:
        print(name + "".join(f"{value:>14}" for value in values) + f"{last:>10}")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value else "-"


def _ratio(cell: Cell, best: float) -> str:
    return f"{cell.per_cpu_second / best:.2f}" if best else "-"


def _latency(load: Load) -> str:
    return f"{_ms(load.p50_ms)}/{_ms(load.p99_ms)}"


def _ms(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"
