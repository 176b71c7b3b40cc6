"""Measures CPU time of a running system. Other programs on the machine affect it less than elapsed time."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class CpuSeconds:
    """CPU seconds so far of a process, and of the processes that it has started."""

    own: float
    children: float

    @classmethod
    def of(cls, pid: int) -> Self:
        """Those of the process with that id; a child that has ended no longer counts (proc(5))."""
        children = [_stat(child) for child in _processes() if _stat(child)[1] == str(pid)]
        return cls(_seconds(_stat(pid)), sum(map(_seconds, children)))

    def __sub__(self, before: "CpuSeconds") -> "CpuSeconds":
        return CpuSeconds(self.own - before.own, self.children - before.children)


def _processes() -> Iterator[int]:
    for path in Path("/proc").iterdir():
        if path.name.isdecimal():
            yield int(path.name)


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat from the state on: the parent is the second."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(") ")[2].split()
    except OSError:  # it has ended
        return ["", "", *["0"] * 12]


def _seconds(stat: list[str]) -> float:
    user, system = stat[11:13]
    return (int(user) + int(system)) / _TICKS
