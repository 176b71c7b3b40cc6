"""A port that cannot be had is told in one sentence, before anything slow begins."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from local.aws.sockets import PortError, listen
from local.run.system import Ports

ROOT = Path(__file__).resolve().parents[4]


def test_a_busy_port_is_named_with_the_way_to_another() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(PortError, match=rf"Port {port} \(AWS\) is in use.*ENS_AWS_PORT"):
            listen("AWS", port, "ENS_AWS_PORT")


@pytest.mark.parametrize("text", ["abc", "0", "65536", "-1", "80.0"])
def test_what_is_no_port_is_said_by_its_variable(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENS_CONSOLE_PORT", text)

    with pytest.raises(PortError, match="ENS_CONSOLE_PORT is"):
        Ports.from_environment()


@pytest.mark.slow
def test_starting_on_a_busy_port_ends_with_one_sentence_and_status_1(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = subprocess.run(
            [sys.executable, "-m", "local", "--folder", str(tmp_path)],
            cwd=ROOT,
            env={"PATH": "/usr/bin:/bin", "ENS_MLLP_PORT": str(taken.getsockname()[1])},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert done.returncode == 1
    assert done.stderr.startswith("hl7-ens: Port ")
    assert done.stderr.count("\n") == 1
