"""The local system, started once for all end-to-end tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.local_system import LocalSystem

FOLDER = Path(__file__).resolve().parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keeps these tests on one worker of xdist: they share one system, and its ports."""
    for item in items:
        if item.path.is_relative_to(FOLDER):
            item.add_marker(pytest.mark.xdist_group("e2e"))


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    """A running local system without its sample message."""
    local_system = LocalSystem(tmp_path_factory.mktemp("local"), "--no-sample")
    try:
        local_system.wait_until_ready()
        yield local_system
    finally:
        local_system.stop()


@pytest.fixture
def system(running: LocalSystem) -> Iterator[LocalSystem]:
    """The running local system, with no fault left armed by the test before."""
    yield running
    running.mend()
