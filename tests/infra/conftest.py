"""Every environment's stacks, synthesised once for all tests and workers."""

from collections.abc import Callable, Iterator

import pytest

from environments import load
from tests.infra.assemblies import Stacks, read_stacks, remove_old, stacks_of
from tests.infra.template import Template

__all__ = ["CLOUD", "EVERY", "Stacks", "read_stacks", "stacks_of"]


@pytest.fixture(scope="session", autouse=True)
def without_docker() -> Iterator[None]:
    """Makes each call of Docker fail: synth needs none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CDK_DOCKER", "/nonexistent/docker")
        yield


CLOUD = ("dev", "staging", "prod")
EVERY = ("local", *CLOUD)


@pytest.fixture(scope="session")
def synthesised() -> Iterator[Callable[[str], Stacks]]:
    """Gives the stacks of an environment, without the functions' packages."""
    yield lambda name: stacks_of(load(name))
    remove_old()


@pytest.fixture(scope="session")
def local(synthesised: Callable[[str], Stacks]) -> Template:
    """The core stack of the local environment."""
    return synthesised("local")["core"]


@pytest.fixture(scope="session")
def prod(synthesised: Callable[[str], Stacks]) -> Stacks:
    """The stacks of the production environment."""
    return synthesised("prod")


@pytest.fixture(scope="session", params=EVERY)
def core(request: pytest.FixtureRequest, synthesised: Callable[[str], Stacks]) -> Template:
    """The core stack of each environment in turn."""
    return synthesised(request.param)["core"]


@pytest.fixture(scope="session")
def all_stacks(synthesised: Callable[[str], Stacks]) -> list[Template]:
    """The stacks of all environments: they may share one account."""
    return [template for name in EVERY for template in synthesised(name).values()]
