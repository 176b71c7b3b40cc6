"""Fixtures of the operator's tests."""

import os
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import pytest
from click.testing import CliRunner, Result

from ops.cli import main
from ops.deployment import Deployment
from tests.support.deployment import deployed
from tests.support.receiver import StubReceiver


@pytest.fixture(autouse=True)
def own_variables() -> Iterator[None]:
    """`ens` binds the environment variables of its process; here each test stands for a process."""
    with patch.dict(os.environ):
        yield


@pytest.fixture
def deployment(aws: Any) -> Deployment:
    """A deployed `dev`."""
    return deployed(aws)


@pytest.fixture
def receiver() -> Iterator[StubReceiver]:
    """A receiver that answers as the test says."""
    made = StubReceiver()
    yield made
    made.close()


@pytest.fixture
def ens(deployment: Deployment) -> Callable[..., Result]:
    """Runs `ens --env dev ARGUMENTS…` in this process and returns what click caught."""
    runner = CliRunner()

    def run(*arguments: str, environment: str = "dev") -> Result:
        return runner.invoke(
            main, ["--env", environment, *arguments], env={"COLUMNS": "80"}, prog_name="ens"
        )

    return run
