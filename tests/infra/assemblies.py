"""Cloud assemblies for tests, kept under `.build` by the sources' hash: one synth takes seconds.

Workers of pytest-xdist and later runs share them. A lock lets one worker at a time synthesise an
environment, so that another worker waits and reads its templates.
"""

import fcntl
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path

from environments import Environment
from local.stack import synth
from tests.conftest import ROOT
from tests.infra.template import Template

Stacks = dict[str, Template]
"""The stacks of an environment by their last name: network, core, ingress."""

FOLDER = ROOT / ".build" / "assemblies"
KEPT = 60
"""Assemblies that stay; a run makes about fifteen."""


def stacks_of(environment: Environment) -> Stacks:
    """The stacks of an environment, without the functions' packages. Tests do not change them."""
    return _read(assembly(environment))


@cache
def _read(folder: Path) -> Stacks:
    return read_stacks(folder)


def assembly(environment: Environment) -> Path:
    """The folder of the environment's cloud assembly, which no test may change."""
    return made(repr(environment), partial(_synthesise, environment))


def made(name: str, make: Callable[[Path], None]) -> Path:
    """The folder that `make` writes, of this name among those made of the present sources."""
    key = hashlib.sha256(f"{_sources()}\0{name}".encode()).hexdigest()[:20]
    folder = FOLDER / key
    FOLDER.mkdir(parents=True, exist_ok=True)
    with _lock(folder.with_suffix(".lock")):
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=FOLDER, prefix="unfinished-") as scratch:
                make(Path(scratch, "made"))
                Path(scratch, "made").rename(folder)
    folder.touch()
    return folder


def read_stacks(folder: Path, name: str = "*") -> Stacks:
    """The templates in a cloud assembly's folder, of one environment where it holds several."""
    pattern = f"hl7-ens-{name}-*.template.json"
    templates = [Template.read(path) for path in folder.glob(pattern)]
    return {template.name.rsplit("-", 1)[-1]: template for template in templates}


def remove_old() -> None:
    """Deletes all but the assemblies that were used last."""
    folders = sorted(
        (path for path in FOLDER.glob("*") if path.is_dir()),
        key=lambda path: path.stat().st_mtime,
        reverse=True,
    )
    for folder in folders[KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)
        folder.with_suffix(".lock").unlink(missing_ok=True)


def _synthesise(environment: Environment, folder: Path) -> None:
    from infra.app import add_stacks, new_app  # here, so that a cached assembly does not start jsii

    app = new_app(str(folder), bundle=False)
    add_stacks(app, environment)
    app.synth()


@cache
def _sources() -> str:
    """The hash of all that a template is made of, the receiver's image included."""
    return synth.key((*synth.INPUTS, "receiver"))


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Holds an exclusive lock of this file, also against other processes."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
