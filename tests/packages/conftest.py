"""The functions' packages, built for Lambda. Without `.ci/packages`, nothing is collected."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.asset import Target, build, install
from tests.conftest import ROOT
from tests.packages.arm64 import Arm64

collect_ignore_glob = [] if "ENS_ARM64_ROOT" in os.environ else ["test_*.py"]

LAMBDA = Target.of("lambda")
# boto3 and what belongs to it, which the Lambda runtime has.
RUNTIME = ("boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3")

Package = Callable[[str], Path]
"""Returns the folder with a function's package, by the function's folder under lambdas/."""


@pytest.fixture(scope="session")
def arm64() -> Arm64:
    """The arm64 Python 3.13 that `.ci/packages` has unpacked."""
    arm64 = Arm64(Path(os.environ["ENS_ARM64_ROOT"]), Path(os.environ["ENS_NATIVE_ROOT"]))
    library = arm64.root / "usr" / "lib" / "python3.13"
    if not (library / "json" / "__pycache__").exists():
        arm64.compile(library)
    return arm64


@pytest.fixture(scope="session")
def package(arm64: Arm64, tmp_path_factory: pytest.TempPathFactory) -> Package:
    """Builds the packages, each once."""
    built: dict[str, Path] = {}

    def package_of(step: str) -> Path:
        if step not in built:
            built[step] = tmp_path_factory.mktemp(step)
            build(step, LAMBDA, built[step])
            arm64.compile(built[step])
        return built[step]

    return package_of


@pytest.fixture(scope="session")
def runtime(arm64: Arm64, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with boto3 and its requirements as the lock file pins them, as in the runtime."""
    folder = tmp_path_factory.mktemp("runtime")
    lock = folder / "requirements.txt"
    lock.write_text(locked(RUNTIME, ROOT / "requirements.txt"), "utf-8")
    shutil.copytree(install(lock, LAMBDA), folder, dirs_exist_ok=True)
    arm64.compile(folder)
    return folder


@pytest.fixture(scope="session")
def receiver(arm64: Arm64, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the receiver and its requirements, as in its image."""
    folder = tmp_path_factory.mktemp("receiver")
    shutil.copytree(
        install(ROOT / "receiver" / "requirements.txt", LAMBDA), folder, dirs_exist_ok=True
    )
    for name in ("receiver", "hl7"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name)
    arm64.compile(folder)
    return folder


def locked(names: tuple[str, ...], lock: Path) -> str:
    """The part of a lock file that pins these packages."""
    kept = []
    for line in lock.read_text("utf-8").splitlines():
        if "==" in line:
            is_wanted = line.split("==")[0] in names
        if is_wanted:
            kept.append(line)
    return "\n".join(kept)
