"""The functions' packages: complete without Docker, for the right machine, the same everywhere."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from infra import asset
from infra.asset import Target, asset_hash, build
from local.stack import synth
from tests.conftest import ROOT
from tests.infra.grants import folder_of
from tests.infra.template import STEPS

FOLDERS = [folder_of(step) for step in STEPS]
# What the Lambda runtime brings: boto3 and what belongs to it.
RUNTIME = ("boto3", "botocore", "s3transfer", "urllib3", "jmespath", "dateutil", "six.py")
AARCH64 = 0xB7
UNCHECKED_HASH = 1


@pytest.fixture(scope="module")
def packages() -> dict[str, Path]:
    """Each step's package as CDK built it for this machine, in the local system's assembly."""
    assembly = synth.found() or synth.make()
    return {
        folder: next(assembly.glob(f"asset.*/lambdas/{folder}")).parents[1] for folder in FOLDERS
    }


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with boto3 and its own packages, and nothing else, as in the Lambda runtime."""
    folder = tmp_path_factory.mktemp("runtime")
    spec = find_spec("boto3")
    assert spec is not None
    assert spec.origin is not None
    installed = Path(spec.origin).parents[1]
    for name in RUNTIME:
        (folder / name).symlink_to(installed / name)
    return folder


def run(package: Path, runtime: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Runs code where only the standard library, the package and the runtime can be imported."""
    # -S leaves site-packages out, so what is there already is the standard library.
    paths = [str(package), str(runtime)]
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path += {paths}\n{code}"],
        cwd=package,
        # As in Lambda, so that the tracer is on and imports what it patches.
        env={"LAMBDA_TASK_ROOT": str(package), "AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_handler_starts_with_nothing_but_its_package_and_the_runtime(
    folder: str, packages: dict[str, Path], runtime: Path
) -> None:
    code = f"from lambdas.{folder}.handler import lambda_handler; print(callable(lambda_handler))"
    done = run(packages[folder], runtime, code)
    assert done.stdout.strip() == "True", done.stderr


def test_a_missing_requirement_shows(
    packages: dict[str, Path], runtime: Path, tmp_path: Path
) -> None:
    incomplete = tmp_path / "package"
    shutil.copytree(packages["record_feedback"], incomplete)
    shutil.rmtree(incomplete / "wrapt")
    done = run(incomplete, runtime, "import lambdas.record_feedback.handler")
    assert "No module named 'wrapt'" in done.stderr


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_package_leaves_to_the_runtime_what_the_runtime_brings(
    folder: str, packages: dict[str, Path]
) -> None:
    names = {path.name for path in packages[folder].iterdir()}
    assert names & {"boto3", "botocore", "s3transfer", "urllib3", "dateutil", "six.py"} == set()
    assert "bin" not in names


def test_only_parse_message_ships_hl7apy(packages: dict[str, Path]) -> None:
    assert [f for f in FOLDERS if (packages[f] / "hl7apy").exists()] == ["parse_message"]


LEDGER_USERS = {
    *("deliver_notification", "lookup_identities", "record_feedback", "release_deliveries"),
}


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_package_holds_the_shared_code_and_its_own_step_only(
    folder: str, packages: dict[str, Path]
) -> None:
    found = {path.name for path in (packages[folder] / "lambdas").iterdir()} - {"__pycache__"}
    shared = ["delivery"] if folder in LEDGER_USERS else []
    for name in ("encounters", "policy", "registry"):
        shared += [name] if folder in asset.SHARED[name] else []
    assert found == {"__init__.py", "common", folder, *shared}


def test_a_package_is_compiled_and_python_does_not_check_again(packages: dict[str, Path]) -> None:
    package = packages["record_feedback"]
    for source in ("lambdas/common/function/handler.py", "aws_lambda_powertools/logging/logger.py"):
        folder, name = (package / source).parent, Path(source).stem
        compiled = folder / "__pycache__" / f"{name}.{sys.implementation.cache_tag}.pyc"
        # The second word of the header (PEP 552): hash based, and not checked against the source.
        assert compiled.read_bytes()[4:8] == UNCHECKED_HASH.to_bytes(4, "little")


def copy_sources(folder: Path) -> None:
    """Copies everything of the repository that packages hold."""
    for name in ("hl7", "lambdas"):
        shutil.copytree(ROOT / name, folder / name)


@pytest.mark.parametrize("kind", ["host", "lambda"])
def test_every_machine_gives_a_package_the_same_hash(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Target.of("host" if kind == "host" else "lambda")
    here = {folder: asset_hash(folder, target) for folder in FOLDERS}
    copy_sources(tmp_path)
    monkeypatch.setattr(asset, "ROOT", tmp_path)
    os.utime(tmp_path / "lambdas" / "common" / "keys.py", (0, 0))
    assert {folder: asset_hash(folder, target) for folder in FOLDERS} == here


@pytest.mark.parametrize(
    ("changed", "affected"),
    [
        ("../hl7/er7.py", set(FOLDERS)),
        ("common/keys.py", set(FOLDERS)),
        ("delivery/__init__.py", LEDGER_USERS),
        ("delivery/mail/mailer.py", {"deliver_notification"}),
        ("parse_message/handler.py", {"parse_message"}),
        ("extract_entities/requirements.txt", {"extract_entities"}),
        ("parse_message/__pycache__/handler.cpython-311.pyc", set()),
    ],
)
def test_a_function_is_deployed_anew_when_its_code_or_lock_changes(
    changed: str, affected: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_sources(tmp_path)
    monkeypatch.setattr(asset, "ROOT", tmp_path)
    target = Target.of("host")
    before = {folder: asset_hash(folder, target) for folder in FOLDERS}
    file = tmp_path / "lambdas" / changed
    file.parent.mkdir(exist_ok=True)
    file.write_bytes((file.read_bytes() if file.exists() else b"") + b"\n")
    after = {folder: asset_hash(folder, target) for folder in FOLDERS}
    assert {folder for folder in FOLDERS if before[folder] != after[folder]} == affected


def test_a_package_for_the_cloud_holds_machine_code_for_arm_only(tmp_path: Path) -> None:
    build("deliver_notification", Target.of("lambda"), tmp_path)
    machines = {
        path.name: int.from_bytes(path.read_bytes()[18:20], "little")
        for path in tmp_path.rglob("*.so")
    }
    assert any("markupsafe" in name or "speedups" in name for name in machines)
    assert set(machines.values()) == {AARCH64}
    # abi3: fits every Python 3 (PEP 384).
    assert all("cpython-313" in name or name.endswith(".abi3.so") for name in machines)


def test_steps_with_equal_requirements_share_one_installation() -> None:
    locks = [ROOT / "lambdas" / folder / "requirements.txt" for folder in FOLDERS]
    folders = {asset.install(lock, Target.of("host")) for lock in locks}
    assert len(folders) == len({lock.read_bytes() for lock in locks}) < len(locks)


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_requirement_is_pinned_by_hash_and_names_no_package_host(folder: str) -> None:
    lines = (ROOT / "lambdas" / folder / "requirements.txt").read_text("utf-8").splitlines()
    assert [line for line in lines if "http" in line or "index" in line] == []
    pinned = [line for line in lines if "==" in line]
    assert pinned
    assert all(line.endswith("\\") for line in pinned)
