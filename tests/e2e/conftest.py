"""The local system, started once for all end-to-end tests."""

from collections.abc import Iterator

import pytest

from tests.support.local_system import LocalSystem


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
