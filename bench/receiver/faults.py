"""`python -m bench.receiver.faults`: kills, stops and delays receivers while senders send.

S3 and SQS are the durable stub. It runs during the whole test and fails at random, half of the
failed calls after their effect. Senders do as interface engines do: an answer that is not AA, or none,
has the message sent again; now and then one is sent again for no reason, with a new MSH-7. In the end
the stub's file says what stands in the vault and on the queue.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.receiver.faults_ledger import Findings, examine
from bench.receiver.processes import (
    HOST,
    ROOT,
    aws_environment,
    free_port,
    receiver_environment,
)
from hl7.mllp import Decoder, wrap

_PATIENCE = (
    15.0  # how long a sender waits for an answer; longer than the receiver's `store_seconds`
)
_DUPLICATES = 0.02
_PATIENTS = 40  # of each sender, so that messages of one patient meet in flight


@dataclass
class FaultRun:
    """The plan of the run, and the senders' results so far."""

    port: int
    messages: int
    accepted: dict[str, bytes] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    unanswered: int = 0
    connections: int = 0


def message(control_id: str, patient: str, moment: str) -> bytes:
    """An invented admission; `moment` is MSH-7, in which alone a resend differs."""
    return (
        f"MSH|^~\\&|ADTSYS|NORTHGEN|NOTIFY|HUB|{moment}||ADT^A08^ADT_A01|{control_id}|P|2.5.1\r"
        f"EVN|A08|20261123091500\rPID|1||{patient}^^^NORTHGEN^MR||Okafor^Amara||19580214|F\r"
        f"PV1|1|I|4W^412^B\r"
    ).encode()


class FaultSender:
    """One connection's worth of messages, `window` of them in flight at a time, in order."""

    def __init__(self, run: FaultRun, number: int, count: int, window: int) -> None:
        self._run = run
        self._name = f"S{number:02d}"
        self._todo = [f"{self._name}-{n:06d}" for n in range(count)]
        self._window = window

    async def work(self) -> None:
        """Returns when every message has its AA."""
        while self._todo:
            try:
                await self._connection()
            except (OSError, EOFError, TimeoutError):
                self._run.unanswered += 1
                await asyncio.sleep(random.uniform(0.01, 0.1))

    async def _connection(self) -> None:
        reader, writer = await asyncio.open_connection(HOST, self._run.port)
        self._run.connections += 1
        decoder, answers = Decoder(1 << 16), list[bytes]()
        try:
            while self._todo:
                batch = self._todo[: self._window]
                moment = time.strftime("%Y%m%d%H%M%S")
                batch_messages = [message(name, self._patient(name), moment) for name in batch]
                writer.write(b"".join(map(wrap, batch_messages)))
                self._run.sent += len(batch)
                left = []
                for name, sent in zip(batch, batch_messages, strict=True):
                    while not answers:
                        data = await asyncio.wait_for(reader.read(65536), _PATIENCE)
                        if not data:
                            raise EOFError
                        answers += [frame.message for frame in decoder.feed(data)]
                    if not self._settle(name, sent, answers.pop(0)):
                        left.append(name)
                again = [name for name in batch if random.random() < _DUPLICATES]
                self._todo[: len(batch)] = left or again
                if left:
                    await asyncio.sleep(0.02)
        finally:
            writer.close()

    def _settle(self, name: str, sent: bytes, answer: bytes) -> bool:
        code, control_id = answer.split(b"\r")[1].split(b"|")[1:3]
        if control_id.decode() != name:
            raise AssertionError(f"the answer to {name} names another message")
        self._run.answers[code.decode()] += 1
        if code == b"AA":
            self._run.accepted[name] = sent
        return code == b"AA"

    def _patient(self, name: str) -> str:
        return f"{self._name}-{int(name[-6:]) % _PATIENTS}"


def start_receiver(port: int, stub_port: int, log: Path) -> "subprocess.Popen[bytes]":
    """A receiver on that port, in front of the stub at the other."""
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "receiver"],
            cwd=ROOT,
            env={
                **{k: v for k, v in os.environ.items() if not k.startswith(("ENS_", "AWS_"))},
                **aws_environment(stub_port),
                **receiver_environment(str(port), "0"),
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )


async def disturb(
    run: FaultRun, faults: list[signal.Signals], stub_port: int, log: Path
) -> list[int]:
    """Runs receivers until all messages are sent, and kills or stops them at even steps.

    Returns the exit statuses of those stopped.
    """
    process = start_receiver(run.port, stub_port, log)
    statuses = []

    async def until_accepted(count: float) -> None:
        while len(run.accepted) < count:
            if process.poll() is not None:
                raise RuntimeError(f"the receiver ended by itself; its log is {log}")
            await asyncio.sleep(0.005)

    try:
        for number, fault in enumerate(faults, 1):
            await until_accepted(run.messages * number / (len(faults) + 1))
            process.send_signal(fault)
            status = await asyncio.to_thread(process.wait, 30)
            if fault is signal.SIGTERM:
                statuses.append(status)
            process = start_receiver(run.port, stub_port, log)
        await until_accepted(run.messages)
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 30)
    return statuses


async def strike(
    folder: Path, messages: int, connections: int, strikes: int, fail_rate: float
) -> tuple[FaultRun, list[int], Findings]:
    """Runs the whole test. Returns the senders' counts, the exit statuses and the stub's content."""
    durable, log = folder / "stored.jsonl", folder / "receiver.telemetry.log"
    stub = subprocess.Popen(
        [
            *(sys.executable, "-m", "bench.receiver.stub", "0"),
            *("--durable", str(durable), "--fail-rate", str(fail_rate)),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert stub.stdout is not None
        stub_port = json.loads(stub.stdout.readline())["port"]
        run = FaultRun(free_port(), messages)
        share, more = divmod(messages, connections)
        senders = [
            FaultSender(run, n, share + (n < more), window=1 if n % 2 else 4)
            for n in range(connections)
        ]
        faults = [signal.SIGKILL, signal.SIGTERM] * strikes
        async with asyncio.TaskGroup() as tasks:
            disturbing = tasks.create_task(disturb(run, faults, stub_port, log))
            for sender in senders:
                tasks.create_task(sender.work())
        statuses = disturbing.result()
    finally:
        stub.terminate()
        stub.communicate()
    return run, statuses, examine(durable, run.accepted)


def main(arguments: list[str]) -> int:
    """Returns 0 when no message is lost or doubled, and stopped receivers exited with 0."""
    parser = argparse.ArgumentParser(prog="make bench-receiver-faults", description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--connections", type=int, default=20)
    parser.add_argument("--strikes", type=int, default=5, help="so many -9 and as many TERM")
    parser.add_argument("--fail-rate", type=float, default=0.05)
    options: Any = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        run, statuses, findings = asyncio.run(
            strike(
                Path(folder),
                options.messages,
                options.connections,
                options.strikes,
                options.fail_rate,
            )
        )
        seconds = time.monotonic() - began
    answers = ", ".join(f"{code} {count}" for code, count in sorted(run.answers.items()))
    print(f"messages {options.messages} from {options.connections} connections in {seconds:.1f} s")
    print(f"killed -9 {options.strikes} times, stopped {len(statuses)} times, statuses {statuses}")
    print(f"calls that failed {options.fail_rate:.0%}; frames sent {run.sent}; answers {answers}")
    print(f"connections made {run.connections}; ends without an answer {run.unanswered}")
    for line in findings.lines():
        print(line)
    return 0 if findings.good and not any(statuses) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
