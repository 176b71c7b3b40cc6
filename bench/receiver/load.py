"""`python -m bench.receiver.load`: load.c in Python, for machines without a C compiler.

The same arguments and the same JSON line. It costs more than the servers that it loads, so latencies at
many connections are then partly its own; messages per CPU second of the server are not touched by that.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

_END = b"\x1c\r"
_CONTROL, _PATIENT = b"@" * 16, b"#" * 8
_PATIENTS = 20_000
_RETRY_SECONDS = 0.01


class LoadRun:
    """One closed-loop run: its clients share a counter and a list of latencies in ms."""

    def __init__(self, host: str, port: int, template: bytes, mode: str, seconds: float) -> None:
        self.host = host
        self.port = port
        self.mode = mode
        self._template = template
        self._counter = time.time_ns() // 1000
        self.ends_at = time.monotonic() + seconds
        self.latencies: list[float] = []
        self.under_way: dict[object, float] = {}
        self.answered = self.refused = self.resets = self.refused_connects = 0

    def frame(self) -> bytes:
        """The next message, framed."""
        self._counter += 1
        control = b"%016d" % self._counter
        patient = b"%08d" % (self._counter * 2654435761 % _PATIENTS)
        message = self._template.replace(_CONTROL, control, 1).replace(_PATIENT, patient, 1)
        return b"\x0b" + message + _END

    def saw(self, answer: bytes) -> None:
        """Counts an answer."""
        at = answer.find(b"\rMSA|")
        if self.mode == "echo" or answer[at + 6 : at + 7] == b"A":
            self.answered += 1
        else:
            self.refused += 1


async def client(run: LoadRun) -> None:
    """Sends, waits, and sends again until the time is over."""
    me = object()
    writer: asyncio.StreamWriter | None = None
    frame = b""
    while time.monotonic() < run.ends_at:
        if not frame:
            frame = run.frame()
            run.under_way[me] = time.monotonic()
        try:
            if writer is None:
                reader, writer = await asyncio.open_connection(run.host, run.port, limit=1 << 20)
            writer.write(frame)
            answer = await reader.readuntil(_END)
        except (OSError, asyncio.IncompleteReadError) as error:
            if isinstance(error, ConnectionRefusedError):
                run.refused_connects += 1
            else:
                run.resets += 1
            writer = None
            await asyncio.sleep(_RETRY_SECONDS)
            continue
        run.latencies.append((time.monotonic() - run.under_way.pop(me)) * 1000)
        run.saw(answer)
        frame = b""
        if run.mode == "close":
            writer.close()
            writer = None


async def load(run: LoadRun, connections: int, seconds: float) -> dict[str, float]:
    """The result of a run of that many clients."""
    began = time.monotonic()
    clients = [asyncio.create_task(client(run)) for _ in range(connections)]
    await asyncio.sleep(seconds)
    now = time.monotonic()
    for one in clients:
        one.cancel()
    await asyncio.gather(*clients, return_exceptions=True)
    times = sorted(run.latencies)
    median = times[len(times) // 2] if times else 0.0
    ages = [(now - since) * 1000 for since in run.under_way.values()]
    times = sorted([*times, *(age for age in ages if age > median)]) or [0.0]
    return {
        "seconds": now - began,
        "answered": run.answered,
        "refused": run.refused,
        "resets": run.resets,
        "refused_connects": run.refused_connects,
        "p50_ms": times[len(times) // 2],
        "p99_ms": times[int(len(times) * 0.99)],
        "max_ms": times[-1],
    }


def main(arguments: list[str]) -> None:
    """Runs and prints."""
    host, port, connections, seconds, file, *modes = arguments
    template = Path(file).read_bytes()
    run = LoadRun(host, int(port), template, modes[0] if modes else "", float(seconds))
    print(json.dumps(asyncio.run(load(run, int(connections), float(seconds)))))


if __name__ == "__main__":
    main(sys.argv[1:])
