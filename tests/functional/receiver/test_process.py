"""`python -m receiver` as a process: its start, its stop, what it says when it cannot start."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.functional.receiver.stub import StubAws
from tests.functional.receiver.world import Peer, adt

Lines = list[dict[str, Any]]


def environment(aws: StubAws, **more: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "ENS_ENVIRONMENT": "test",
        "ENS_VAULT_BUCKET": "vault",
        "ENS_QUEUE_URL": f"{aws.url}/123456789012/events.fifo",
        "ENS_REFERENCE_KEY_SECRET": "reference-key",
        "ENS_CONFIGURATION_BUCKET": "configuration",
        "ENS_CONFIGURATION_KEY": "configuration.json",
        "ENS_UNKNOWN_SENDERS": "accept",
        "ENS_MLLP_HOST": "127.0.0.1",
        "ENS_MLLP_PORT": "0",
        "ENS_HEALTH_PORT": "0",
        **more,
    }


@contextmanager
def receiver(variables: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-m", "receiver"],
        cwd=ROOT,
        env=variables,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def first_line(process: "subprocess.Popen[str]") -> dict[str, Any]:
    assert process.stdout is not None
    line: dict[str, Any] = json.loads(process.stdout.readline())
    return line


def rest(process: "subprocess.Popen[str]") -> Lines:
    output, _ = process.communicate(timeout=60)
    return [json.loads(line) for line in output.splitlines()]


@pytest.fixture
def aws() -> Iterator[StubAws]:
    with StubAws() as stub:
        yield stub


def test_sigterm_lets_what_is_in_flight_be_stored_and_answered_and_takes_nothing_new(
    aws: StubAws,
) -> None:
    with receiver(environment(aws)) as process:
        port = first_line(process)["mllp_port"]
        busy, idle, begun = Peer(port), Peer(port), Peer(port)
        with busy, idle, begun:
            assert idle.ask(adt("IDLE")) == "AA IDLE"
            aws.waiting.acquire(timeout=30)
            aws.open.clear()
            busy.send(adt("A"), adt("B", patient="0043"))
            begun.raw(b"\x0b" + adt("BEGUN")[:40])
            for _ in range(2):
                assert aws.waiting.acquire(timeout=30)
            process.send_signal(signal.SIGTERM)
            assert idle.is_closed()
            with pytest.raises(OSError):
                Peer(port).ask(adt("LATE"))
            assert busy.is_silent()
            aws.open.set()
            assert [busy.answer(), busy.answer()] == ["AA A", "AA B"]
            assert busy.is_closed()
            begun.raw(adt("BEGUN")[40:] + b"\x1c\r")
            assert begun.answer() == "AA BEGUN"
            assert begun.is_closed()
        lines = rest(process)
        assert process.returncode == 0
    assert len(aws.objects) == len(aws.envelopes) == 4
    assert [line["message"] for line in lines if "message" in line][-1] == "stopped"


def test_a_frame_that_never_ends_does_not_keep_the_receiver_beyond_its_deadline(
    aws: StubAws,
) -> None:
    with receiver(environment(aws, ENS_STOP_SECONDS="0.3")) as process:
        with Peer(first_line(process)["mllp_port"]) as sender:
            assert sender.ask(adt()) == "AA NG-1"
            sender.raw(b"\x0bMSH|")
            process.send_signal(signal.SIGTERM)
            assert sender.is_closed()
            lines = rest(process)
        assert process.returncode == 0
    assert "connections aborted after stop_seconds" in {line.get("message") for line in lines}


def test_a_missing_setting_is_named_and_the_status_is_not_zero(aws: StubAws) -> None:
    with receiver(environment(aws, ENS_QUEUE_URL="")) as process:
        (line,) = rest(process)
        assert line["message"] == "cannot start: ENS_QUEUE_URL is not set"
        assert process.returncode == 1


@pytest.mark.parametrize("variable", ["ENS_REFERENCE_KEY_SECRET", "ENS_TLS_SECRET"])
def test_a_secret_that_cannot_be_read_is_named_by_its_variable(aws: StubAws, variable: str) -> None:
    with receiver(environment(aws, **{variable: "none"})) as process:
        (line,) = rest(process)
        assert line["message"].startswith(f"cannot start: {variable}: the secret cannot be read")
        assert "ResourceNotFoundException" in line["message"]
        assert process.returncode == 1


def test_a_start_waits_until_s3_is_quick_enough_again(aws: StubAws) -> None:
    aws.refusals = [(503, "SlowDown")] * 3
    with receiver(environment(aws)) as process:
        lines = iter(partial(first_line, process), None)
        port = next(line["mllp_port"] for line in lines if "mllp_port" in line)
        assert aws.refusals == []
        with Peer(port) as sender:
            assert sender.ask(adt()) == "AA NG-1"


def test_a_document_that_does_not_exist_ends_the_start_at_once(aws: StubAws) -> None:
    aws.refusals = [(404, "NoSuchKey")]
    with receiver(environment(aws)) as process:
        (line,) = rest(process)
        assert line["message"].endswith("cannot be read (s3 GetObject: NoSuchKey)")
        assert process.returncode == 1


def test_a_busy_port_is_said_so(aws: StubAws) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = str(busy.getsockname()[1])
        with receiver(environment(aws, ENS_MLLP_PORT=port)) as process:
            (line,) = rest(process)
            assert line["message"].startswith("cannot start: cannot listen on a port")
            assert process.returncode == 1


BROKEN = """
import sys
from receiver import background
background._RESTART_SECONDS = 0.01
from {module} import {owner}

async def broken(*_):
    raise ValueError("a value")

setattr({owner}, "{name}", broken)
from receiver.__main__ import main
sys.exit(main())
"""


@pytest.mark.parametrize(
    ("module", "owner", "name", "task"),
    [
        ("receiver.transport.server", "MllpServer", "_accept", "accepting"),
        ("receiver.transport.server", "MllpServer", "_watch_connections", "timeouts"),
        ("receiver.transport.shares", "Shares", "share_out", "shares"),
        ("receiver.storage.aws_client.calls", "ProcessCredentials", "keep_fresh", "credentials"),
    ],
)
def test_a_task_that_keeps_failing_ends_the_process_so_that_ecs_starts_a_new_one(
    aws: StubAws, module: str, owner: str, name: str, task: str
) -> None:
    """`/live` answers on: without the end, the load balancer would take the receiver for sound."""
    script = BROKEN.format(module=module, owner=owner, name=name)
    process = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=environment(aws),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    lines = [json.loads(line) for line in process.stdout.splitlines()]
    said = [line["message"] for line in lines if "message" in line]
    assert process.returncode == 1
    assert said[-1] == "ended, because a background task kept failing"
    (given_up,) = [one for one in lines if "the receiver ends" in one.get("message", "")]
    assert (given_up["task"], given_up["failures"]) == (task, 10)
    assert said.count("background task failed and begins again") == 9
    assert sum(line.get("TaskFailures", 0) for line in lines) == 10
    assert "a value" not in process.stdout


@pytest.mark.parametrize(
    ("module", "owner", "name"),
    [
        ("receiver.intake.configuration", "SenderConfiguration", "keep_fresh"),
        ("receiver.transport.tls", "Tls", "keep_fresh"),
    ],
)
def test_a_renewal_that_keeps_failing_leaves_the_receiver_in_service(
    aws: StubAws, module: str, owner: str, name: str
) -> None:
    """A new process could not read the document either; this one has the previous one."""
    script = BROKEN.format(module=module, owner=owner, name=name)
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=environment(aws),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        port = first_line(process)["mllp_port"]
        assert process.stdout is not None
        for _ in range(20):
            assert "begins again" in process.stdout.readline()
        with Peer(port) as sender:
            assert sender.ask(adt()) == "AA NG-1"
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        assert process.returncode == 0
    finally:
        process.kill()
        process.communicate()
