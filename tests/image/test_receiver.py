"""The receiver in its image: it answers, stores, is asked for its health, and stops."""

import http.client
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functional.receiver.stub import StubAws
from tests.functional.receiver.test_process import environment, first_line
from tests.functional.receiver.world import Peer, adt
from tests.image.container import Container, Image


@pytest.fixture(scope="module")
def aws() -> Iterator[StubAws]:
    with StubAws() as stub:
        yield stub


@pytest.fixture
def container(image: Image, aws: StubAws) -> Iterator[Container]:
    """A container whose receiver has a health port that its health check can be told."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        health_port = str(free.getsockname()[1])
    with Container(image, environment(aws, ENS_HEALTH_PORT=health_port)) as container:
        yield container


def test_a_message_is_stored_queued_and_acknowledged(container: Container, aws: StubAws) -> None:
    with Peer(first_line(container.process)["mllp_port"]) as sender:
        assert sender.ask(adt("IMAGE-1")) == "AA IMAGE-1"
    assert len(aws.objects) == len(aws.envelopes) == 1


def test_the_receiver_has_no_root_user_and_no_capability(container: Container) -> None:
    first_line(container.process)
    status = Path(f"/proc/{container.pid}/status").read_text("utf-8")
    lines = dict(line.split(":\t", 1) for line in status.splitlines())
    assert set(lines["Uid"].split()) == set(lines["Gid"].split()) == {"10001"}
    assert lines["Groups"].strip() == ""
    capabilities = [lines[f"Cap{kind}"] for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")]
    assert {int(value, 16) for value in capabilities} == {0}


def test_the_receiver_runs_where_no_file_can_be_written(container: Container) -> None:
    first_line(container.process)
    done = container.run(["touch", "/tmp/file"])
    assert "Read-only file system" in done.stderr


def test_the_health_port_says_that_the_receiver_lives(container: Container) -> None:
    port = first_line(container.process)["health_port"]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/live")
    assert connection.getresponse().status == 200
    connection.close()


def test_the_health_check_of_the_image_passes_while_the_receiver_serves(
    container: Container,
) -> None:
    first_line(container.process)
    assert container.run(container.image.health_check).returncode == 0


def test_the_health_check_of_the_image_fails_when_nothing_serves(container: Container) -> None:
    first_line(container.process)
    container.variables["ENS_HEALTH_PORT"] = "9"  # RFC 863: discard, where nothing listens
    assert container.run(container.image.health_check).returncode == 1


def test_the_stop_signal_ends_the_receiver_with_status_0(container: Container) -> None:
    first_line(container.process)
    assert container.stop() == 0


def test_every_module_in_the_image_can_be_imported(container: Container) -> None:
    first_line(container.process)
    program = """
import importlib, pathlib
found = [path for path in pathlib.Path().rglob("*.py") if path.stem != "__main__"]
for path in found:
    importlib.import_module(".".join(path.with_suffix("").parts).removesuffix(".__init__"))
print(len(found))
"""
    done = container.run(["python", "-c", program])
    assert done.stderr == ""
    assert int(done.stdout) > 10
