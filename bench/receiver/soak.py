"""`python -m bench.receiver.soak`: one hostile peer tries each exhaustion while an honest one sends.

The honest peer connects from 127.0.0.2 and sends one message after the other. The figures are its
acknowledgement times and the receiver's memory during each attack. The goals are a 99th percentile below
250 ms and less than 400 MB.
"""

import argparse
import multiprocessing
import os
import resource
import socket
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from multiprocessing.synchronize import Event

from bench.receiver.processes import (
    FOLDER,
    HOST,
    ServerProcess,
    aws_environment,
    free_port,
    receiver_environment,
    stub,
)
from hl7.mllp import Decoder, wrap

HONEST = "127.0.0.2"
MAX_P99_MS, MAX_MB = 250.0, 400.0
MEGABYTE = 1 << 20
_LOST_MS = 5000.0
"""Counted for a message without an answer within 5 s, and for a connection that is not made."""


def message(control_id: str, more: bytes = b"", kind: str = "ADT^A01^ADT_A01") -> bytes:
    """An invented message of the stub's configured sender."""
    return (
        f"MSH|^~\\&|ADTSYS|NORTHGEN|HUB|ENS|20261126091502||{kind}|{control_id}|P|2.5.1\r"
        f"EVN|A01|20261126091500\rPID|1||{control_id}^^^NORTHGEN^MR||Quillfeather^Zeta\rPV1|1|I\r"
    ).encode() + more


def _open(port: int, source: str = HOST) -> socket.socket:
    return socket.create_connection((HOST, port), timeout=5, source_address=(source, 0))


def _pour(port: int, data: bytes, stop: Event) -> None:
    """Writes the data again and again on one connection, and opens a new one when it is closed."""
    while not stop.is_set():
        with suppress(OSError), _open(port) as connection:
            connection.settimeout(0.5)
            while not stop.is_set():
                with suppress(TimeoutError):
                    connection.sendall(data)
                with suppress(BlockingIOError):
                    connection.recv(MEGABYTE, socket.MSG_DONTWAIT)


def _unfinished_frames(port: int, stop: Event) -> None:
    """Holds 240 frames of 2 MiB without their ends."""
    with ExitStack() as opened:
        while not stop.is_set():
            for _ in range(240):
                if stop.is_set():
                    return
                with suppress(OSError):
                    connection = opened.enter_context(_open(port))
                    connection.settimeout(0.05)
                    connection.sendall(b"\x0bMSH|^~\\&|" + b"x" * (2 * MEGABYTE - 100))
            stop.wait(0.5)


def _all_connections(port: int, stop: Event) -> None:
    """Opens connections as fast as it can and leaves them idle."""
    with ExitStack() as opened:
        while not stop.is_set():
            with suppress(OSError):
                opened.enter_context(_open(port))
            stop.wait(0.001)


def _reconnecting(port: int, stop: Event) -> None:
    """Connects, sends an HTTP request, and connects again."""
    while not stop.is_set():
        with suppress(OSError), _open(port) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\n\r\n" + wrap(message("x")))
            connection.recv(100)


def _rest(stop: Event) -> None:
    stop.wait()


def _pouring(data: bytes) -> Callable[[int, Event], None]:
    return lambda port, stop: _pour(port, data, stop)


ATTACKS: dict[str, Callable[[int, Event], None]] = {
    "nothing": lambda _, stop: _rest(stop),
    "240 unfinished frames of 2 MiB": _unfinished_frames,
    "all connections": _all_connections,
    "HTTP on new connections": _reconnecting,
    "a frame of start blocks": _pouring(b"\x0b" * MEGABYTE),
    "end blocks in a text": _pouring(b"\x0b" + b"x\x1c" * (MEGABYTE // 2)),
    "interrupted frames": _pouring(b"\x0bMSH" * (MEGABYTE // 4)),
    "empty frames": _pouring(b"\x0b\x1c\r" * (MEGABYTE // 3)),
    "rejected messages": _pouring(wrap(message("r", kind="ORU^R01")) * 1000),
    "rejected messages of 2 MiB": _pouring(
        wrap(message("r", b"NTE|1||" + b"x" * (2 * MEGABYTE - 400), kind="ORU^R01"))
    ),
    "accepted messages of 2 MiB": _pouring(
        wrap(message("a", b"NTE|1||" + b"x" * (2 * MEGABYTE - 400)))
    ),
    "MSH of 20,000 lines": _pouring(wrap(b"MSH|^~\\&|ADTSYS|NORTHGEN" + b"\rx" * 19_000)),
    "identifiers outside ASCII": _pouring(
        wrap(
            message("i", b"NTE|1||" + b"\xe4" * MEGABYTE).replace(b"|1||i", b"|1||" + b"\xe4~" * 90)
        )
    ),
}


@dataclass(frozen=True, slots=True)
class SoakResult:
    """The honest peer's acknowledgement times in milliseconds, and the receiver's memory at most."""

    attack: str
    answers: int
    p50_ms: float
    p99_ms: float
    longest_ms: float
    mb: float

    @property
    def holds(self) -> bool:
        """Whether both goals are met."""
        return self.answers > 0 and self.p99_ms < MAX_P99_MS and self.mb < MAX_MB


def _attack(name: str, port: int, stop: Event) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    ATTACKS[name](port, stop)


def soak(name: str, port: int, process: ServerProcess, seconds: float) -> SoakResult:
    """Runs one attack for so long beside the honest peer."""
    stop = multiprocessing.Event()
    # A process of its own, so that it takes no time from the honest peer's client.
    attacker = multiprocessing.Process(target=_attack, args=(name, port, stop), daemon=True)
    attacker.start()
    try:
        time.sleep(0.5)
        took, most = [], 0.0
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                took += list(_honest(port, min(end, time.monotonic() + 1)))
            except OSError:
                took.append(_LOST_MS)
            most = max(most, process.resident_mb())
    finally:
        stop.set()
        attacker.join(3)
        attacker.kill()
        attacker.join()
    cuts = statistics.quantiles(took, n=100) if len(took) > 1 else [float("inf")] * 99
    return SoakResult(name, len(took), cuts[49], cuts[98], max(took, default=float("inf")), most)


_NUMBERS = count()


def _honest(port: int, end: float) -> Iterator[float]:
    """Milliseconds of each acknowledgement on one connection until `end`."""
    with _open(port, HONEST) as connection:
        while time.monotonic() < end:
            decoder = Decoder(MEGABYTE)
            control_id = f"H-{next(_NUMBERS)}"
            began = time.perf_counter()
            connection.sendall(wrap(message(control_id)))
            frames = decoder.feed(connection.recv(65_536))
            while not frames:
                frames = decoder.feed(connection.recv(65_536))
            if f"MSA|AA|{control_id}".encode() in frames[0].message:
                yield (time.perf_counter() - began) * 1000
            time.sleep(0.005)


@contextmanager
def running() -> Iterator[tuple[int, ServerProcess]]:
    """The port of a receiver in front of the stub, and its process."""
    with stub("--delay-ms", "10") as stub_port:
        port = free_port()
        variables = aws_environment(stub_port) | receiver_environment(str(port), "0")
        log = FOLDER / "soak.log"
        process = ServerProcess(
            [sys.executable, "-m", "receiver"], variables, os.sched_getaffinity(0), log
        )
        try:
            process.wait_until_listening(port)
            yield port, process
        finally:
            process.stop()


def main() -> int:
    """Prints one line for each attack. Returns 1 when a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.receiver.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=15.0, help="of each attack")
    parser.add_argument("--only", default="", help="attacks whose names hold this")
    options = parser.parse_args()
    results = []
    print(f"{'attack':32} {'answers':>8} {'p50 ms':>8} {'p99 ms':>8} {'max ms':>8} {'MB':>6}")
    with running() as (port, process):
        for name in ATTACKS:
            if options.only not in name:
                continue
            one = soak(name, port, process, options.seconds)
            results.append(one)
            print(
                f"{name:32} {one.answers:8} {one.p50_ms:8.1f} {one.p99_ms:8.1f}"
                f" {one.longest_ms:8.1f} {one.mb:6.0f}{'' if one.holds else '  MISSED'}",
                flush=True,
            )
    return 0 if all(one.holds for one in results) else 1


if __name__ == "__main__":
    sys.exit(main())
