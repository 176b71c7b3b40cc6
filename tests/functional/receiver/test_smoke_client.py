"""The smoke test's client in the VPC, as its task runs it, against the receiver with mutual TLS."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from hl7.acknowledgement import read_answer
from ops.sending.messages import OutgoingMessage
from ops.smoke.probes import Probe
from ops.smoke.task import packed
from receiver.settings import TlsFiles
from tests.functional.receiver.certificates import SERVER
from tests.functional.receiver.world import ReceiverWorld, adt
from tests.support.tls import authority

ROOT = Path(__file__).resolve().parents[3]
Start = Callable[..., ReceiverWorld]


def run(port: int, probes: Sequence[Probe], **variables: str) -> tuple[int, list[dict[str, str]]]:
    """The client's exit status and its lines, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "receiver.smoke_client"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "ENS_SMOKE_HOST": "127.0.0.1",
            "ENS_SMOKE_PORT": str(port),
            "ENS_SMOKE_MESSAGES": packed(probes),
            **variables,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def probe(name: str, control_id: str) -> Probe:
    return Probe(name, control_id, OutgoingMessage(name, 1, adt(control_id)), ())


def test_every_message_is_answered_over_mutual_tls(start: Start, tmp_path: Path) -> None:
    root = authority()
    ours, theirs = root.issue(SERVER), root.issue("smoke.ens.example")
    files = {"server.crt": ours.pem, "server.key": ours.key_pem, "ca.pem": root.pem}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    world = start(tls=TlsFiles(*(str(tmp_path / name) for name in files)))
    status, lines = run(
        world.mllp_port,
        [probe("good", "S1"), probe("slow", "S2")],
        ENS_SMOKE_TLS="on",
        ENS_SMOKE_SERVER_NAME=SERVER,
        ENS_SMOKE_IDENTITY=json.dumps(
            {"ca": root.pem, "certificate": theirs.pem, "key": theirs.key_pem}
        ),
    )
    assert (status, [line["probe"] for line in lines]) == (0, ["good", "slow"])
    assert [read_answer(line["answer"].encode()).code for line in lines] == ["AA", "AA"]
    assert len(world.envelopes()) == 2


def test_plain_text_inside_the_vpn_works_too(start: Start) -> None:
    status, (line,) = run(start().mllp_port, [probe("good", "S1")])
    assert (status, read_answer(line["answer"].encode()).accepted) == (0, True)


def test_a_certificate_that_nobody_trusts_is_a_line_with_the_reason(
    start: Start, tmp_path: Path
) -> None:
    issued = authority().issue(SERVER)
    (tmp_path / "crt").write_text(issued.pem)
    (tmp_path / "key").write_text(issued.key_pem)
    world = start(tls=TlsFiles(str(tmp_path / "crt"), str(tmp_path / "key"), ""))
    status, (line,) = run(
        world.mllp_port, [probe("good", "S1")], ENS_SMOKE_TLS="on", ENS_SMOKE_SERVER_NAME=SERVER
    )
    assert status == 1
    assert line == {"probe": "good", "error": "TLS: unable to get local issuer certificate"}


def test_nobody_listening_is_a_line_with_the_reason() -> None:
    status, (line,) = run(1, [probe("good", "S1")])
    assert (status, line["error"]) == (1, "ConnectionRefusedError: Connection refused")
