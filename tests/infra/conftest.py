"""Every environment's stacks, synthesised once for all tests here: starting jsii takes seconds."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.infra.template import Template

Stacks = dict[str, Template]
"""The stacks of an environment by their last name: network, core, ingress."""


@pytest.fixture(scope="session", autouse=True)
def without_docker() -> Iterator[None]:
    """Makes whoever asks for Docker fail: synth needs none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CDK_DOCKER", "/nonexistent/docker")
        yield


CLOUD = ("dev", "staging", "prod")
EVERY = ("local", *CLOUD)


@pytest.fixture(scope="session")
def synthesised(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Stacks]:
    """Gives the stacks of an environment, without the functions' packages."""
    from infra.app import build  # here, so that collecting other tests does not start jsii

    done: dict[str, Stacks] = {}

    def synthesise(name: str) -> Stacks:
        if name not in done:
            folder = tmp_path_factory.mktemp(name)
            build(name, str(folder), bundle=False)
            done[name] = read_stacks(folder)
        return done[name]

    return synthesise


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


def read_stacks(folder: Path, name: str = "*") -> Stacks:
    """The templates in a cloud assembly's folder, of one environment where it holds several."""
    pattern = f"hl7-ens-{name}-*.template.json"
    templates = [Template.read(path) for path in folder.glob(pattern)]
    return {template.name.rsplit("-", 1)[-1]: template for template in templates}


@pytest.fixture(scope="session")
def all_stacks(synthesised: Callable[[str], Stacks]) -> list[Template]:
    """The stacks of all environments: they may share one account."""
    return [template for name in EVERY for template in synthesised(name).values()]
