"""Events a second of the local system, and its start time: `make bench-local`.

Starts `python -m local` twice, because the first start may have to synthesise the stack. Sends one
admission for each of many patients, since a queue keeps the order of a patient's messages. Counts
from the first acknowledgement to the last mail.
"""

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from bench.local.patients import NumberedPatient, patients, write_registry
from bench.receiver.processes import family, seconds_of
from local.stack import registry
from ops.sending.messages import OutgoingMessage
from ops.sending.mllp import ReceiverConnection
from tests.support.local_system import HOST, LocalSystem, wait_for

CONNECTIONS = 4
IDLE_EVENTS = 5
TRIES = 5
MAIL_SECONDS = 600.0


def main() -> int:
    """The exit status: 1 when a message was not acknowledged or a mail did not come."""
    options = _options()
    with tempfile.TemporaryDirectory() as scratch:
        first = _start(options.root, Path(scratch) / "first")
        first[0].stop()
        system, start_seconds = _start(options.root, Path(scratch) / "second")
        try:
            print(f"ready: {first[1]:.1f} s, at the second start {start_seconds:.1f} s", flush=True)
            people = list(patients(options.events + IDLE_EVENTS))
            folder = Path(scratch) / "registry"
            write_registry(folder, people)
            registry.load(system.stack_output("RegistryTable"), system.aws_port, folder)
            _idle(system, people[:IDLE_EVENTS])
            _burst(system, people[IDLE_EVENTS:])
        finally:
            system.stop()
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200)
    parser.add_argument(
        "--root",
        type=Path,
        default=Path(__file__).resolve().parents[2],
        help="another checkout to measure, with the same table names",
    )
    return parser.parse_args()


def _start(root: Path, folder: Path) -> tuple[LocalSystem, float]:
    """A running system and the seconds until its console answered."""
    folder.mkdir()
    began = time.monotonic()
    system = LocalSystem(folder, "--no-sample", root=root)
    system.wait_until_ready()
    return system, time.monotonic() - began


def _idle(system: LocalSystem, people: list[NumberedPatient]) -> None:
    """Prints how long one event takes while nothing else runs; the first warms the system up."""
    seconds = []
    for known, person in enumerate(people):
        _send(system, [person])
        began = time.monotonic()
        wait_for(lambda: _mails(system) > known, "the mail", MAIL_SECONDS)  # noqa: B023
        seconds.append(time.monotonic() - began)
    print(f"one event alone: {statistics.median(seconds[1:]):.2f} s from ACK to mail", flush=True)


def _burst(system: LocalSystem, people: list[NumberedPatient]) -> None:
    """Prints how long many events at once take."""
    known = _mails(system)
    began, before = time.monotonic(), _cpu_seconds(system)
    senders = [
        threading.Thread(target=_send, args=(system, part)) for part in _parts(people, CONNECTIONS)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    acknowledged = time.monotonic() - began
    wait_for(lambda: _mails(system) - known >= len(people), "the last mail", MAIL_SECONDS)
    seconds, after = time.monotonic() - began, _cpu_seconds(system)
    own, others = (end - begin for begin, end in zip(before, after, strict=True))
    print(
        f"{len(people)} events: acknowledged within {acknowledged:.1f} s, mailed in {seconds:.1f} s"
    )
    print(
        f"CPU time of one event: {own / len(people) * 1000:.0f} ms in the main process,"
        f" {others / len(people) * 1000:.0f} ms in functions and receiver"
    )
    print(f"{len(people) / seconds:.1f} events a second", flush=True)


def _cpu_seconds(system: LocalSystem) -> tuple[float, float]:
    """CPU seconds of the main process, and of all below it."""
    main, *others = map(seconds_of, family(system.process.pid))
    return main, sum(others)


def _send(system: LocalSystem, people: list[NumberedPatient]) -> None:
    with ReceiverConnection(HOST, system.mllp_port, timeout=60) as connection:
        for person in people:
            message = OutgoingMessage("bench", 1, person.admission())
            # A message that could not be stored is sent again, as a hospital's system does.
            assert any(connection.send(message).accepted for _ in range(TRIES))


def _parts(people: list[NumberedPatient], number: int) -> Iterator[list[NumberedPatient]]:
    for first in range(number):
        yield people[first::number]


def _mails(system: LocalSystem) -> int:
    time.sleep(0.1)  # beside wait_for's pause, so that looking costs the system little
    return len(system.api("/api/mail"))


if __name__ == "__main__":
    sys.exit(main())
