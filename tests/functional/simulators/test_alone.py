"""Each simulator runs alone, as a command, and needs nothing of the local system."""

import ast
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hl7.mllp import Decoder, Frame, wrap

ROOT = Path(__file__).resolve().parents[3]
REGISTRY = "samples/registry"


@contextmanager
def running(*words: str) -> Iterator[str]:
    """The line that the command prints when it is ready."""
    command = [sys.executable, "-m", *words]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
            process.wait(20)


def test_the_fhir_mpi_finds_a_patient_by_name() -> None:
    with (
        running("simulators.fhir_mpi", REGISTRY) as url,
        urllib.request.urlopen(f"{url}/Patient?family=Okafor", timeout=20) as answer,
    ):
        assert b'"resourceType": "Bundle"' in answer.read().replace(b'":"', b'": "')


def test_the_pix_manager_answers_a_query_over_mllp() -> None:
    query = (
        "MSH|^~\\&|HL7ENS|LOCAL|PIX|REGION|20261123||QBP^Q23^QBP_Q21|1|P|2.5\r"
        "QPD|IHE PIX Query|q1|H00412^^^NORTHGEN|^^^REGION\rRCP|I\r"
    )
    with running("simulators.pix_manager", REGISTRY) as line:
        host, _, port = line.removeprefix("MLLP ").partition(":")
        with socket.create_connection((host, int(port)), 20) as connection:
            connection.sendall(wrap(query.encode()))
            decoder, frames = Decoder(1 << 20), list[Frame]()
            while not frames:
                received = connection.recv(65536)
                assert received
                frames += decoder.feed(received)
    assert b"RSP^K23" in frames[0].message


@pytest.mark.parametrize("name", ["comprehend_medical", "fhir_mpi", "pix_manager"])
def test_a_simulator_imports_nothing_of_the_local_system(name: str) -> None:
    for file in (ROOT / "simulators" / name).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            module = node.module if isinstance(node, ast.ImportFrom) else ""
            assert (module or "").partition(".")[0] not in ("local", "ops"), file
