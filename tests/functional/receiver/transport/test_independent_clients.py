"""MLLP clients that others wrote get their answers over a real socket, plain and with TLS."""

import fcntl
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.functional.receiver.certificates import SERVER, CertificateFolder
from tests.functional.receiver.world import ReceiverWorld, adt

CLIENTS = Path(__file__).parents[1] / "clients"
FOLDER = ROOT / ".build" / "mllp-clients"
INSTALL_SECONDS = 90
PYTHON_HL7 = "hl7==0.4.5"

# Sends through python-hl7's MLLPClient, its socket wrapped where an authority is given.
MLLP_CLIENT = """
import ssl, sys
from hl7.client import MLLPClient
client = MLLPClient("127.0.0.1", int(sys.argv[1]))
if len(sys.argv) > 2:
    context = ssl.create_default_context(cafile=sys.argv[2])
    client.socket = context.wrap_socket(client.socket, server_hostname=sys.argv[3])
sys.stdout.buffer.write(client.send_message(sys.stdin.buffer.read()))
client.close()
"""


def install(stamp: str, command: list[str], folder: Path) -> None:
    """Installs once for all test workers; skips the test where that cannot be."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder / "installed"
        if done.exists() and done.read_text() == stamp:
            return
        try:
            subprocess.run(
                command, cwd=folder, check=True, capture_output=True, timeout=INSTALL_SECONDS
            )
        except (OSError, subprocess.SubprocessError) as error:
            pytest.skip(f"{command[0]} cannot install: {type(error).__name__}")
        done.write_text(stamp)


@pytest.fixture
def python_hl7() -> dict[str, str]:
    """The environment in which python-hl7 can be imported."""
    folder = FOLDER / "python"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder / "packages")]
    install(PYTHON_HL7, [*pip, PYTHON_HL7], folder)
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(folder / "packages")}


@pytest.fixture
def node() -> Path:
    """The folder in which the Node clients are installed, with our scripts beside them."""
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.skip("there is no Node here")
    folder = FOLDER / "node"
    folder.mkdir(parents=True, exist_ok=True)
    for file in CLIENTS.iterdir():
        shutil.copy(file, folder)
    npm = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
    install((CLIENTS / "package.json").read_text(), npm, folder)
    return folder


def run(
    command: list[str],
    message: bytes = b"",
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
) -> bytes:
    """The output of a client."""
    done = subprocess.run(
        command, input=message, check=True, capture_output=True, timeout=30, cwd=cwd, env=env
    )
    return done.stdout


def test_mllp_send_of_python_hl7(
    world: ReceiverWorld, python_hl7: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "messages.hl7"
    file.write_bytes(adt("1") + adt("2", patient="0043"))
    code = "import sys; from hl7.client import mllp_send; sys.exit(mllp_send())"
    command = [sys.executable, "-P", "-c", code, "--loose", "--file", str(file)]
    output = run([*command, "-p", str(world.mllp_port), "127.0.0.1"], env=python_hl7)
    assert output.count(b"MSA|AA|") == 2
    assert len(world.envelopes()) == 2


def test_mllp_client_of_python_hl7(world: ReceiverWorld, python_hl7: dict[str, str]) -> None:
    command = [sys.executable, "-P", "-c", MLLP_CLIENT, str(world.mllp_port)]
    assert b"MSA|AA|NG-1" in run(command, adt(), env=python_hl7)


def test_mllp_client_of_python_hl7_over_tls(
    start: Callable[..., ReceiverWorld], python_hl7: dict[str, str], tmp_path: Path
) -> None:
    authority = CertificateFolder(tmp_path)
    world = start(tls=authority.server(mutual=False))
    command = [
        sys.executable,
        "-P",
        "-c",
        MLLP_CLIENT,
        str(world.mllp_port),
        str(authority.file),
        SERVER,
    ]
    assert b"MSA|AA|NG-1" in run(command, adt(), env=python_hl7)


def test_node_hl7_client(world: ReceiverWorld, node: Path) -> None:
    command = ["node", "node_hl7_client.mjs", str(world.mllp_port)]
    assert b"MSA|AA|NG-1" in run(command, adt(), cwd=node)
    assert len(world.envelopes()) == 1


def test_node_hl7_client_over_tls(
    start: Callable[..., ReceiverWorld], node: Path, tmp_path: Path
) -> None:
    authority = CertificateFolder(tmp_path)
    world = start(tls=authority.server(mutual=False))
    command = ["node", "node_hl7_client.mjs", str(world.mllp_port), str(authority.file), SERVER]
    assert b"MSA|AA|NG-1" in run(command, adt(), cwd=node)


def test_medplum_hl7_client(world: ReceiverWorld, node: Path) -> None:
    assert b"MSA|AA|NG-1" in run(["node", "medplum.mjs", str(world.mllp_port)], adt(), cwd=node)
    assert len(world.envelopes()) == 1


def test_a_client_that_knows_tls_1_2_alone(
    start: Callable[..., ReceiverWorld], tmp_path: Path
) -> None:
    authority = CertificateFolder(tmp_path)
    world = start(tls=authority.server(mutual=False))
    context = authority.client()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with world.connect(tls=context) as peer:
        assert peer.ask(adt()) == "AA NG-1"
