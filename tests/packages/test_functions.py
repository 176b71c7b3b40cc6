"""The functions' packages on Lambda's machine: arm64, Python 3.13, glibc 2.34."""

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.infra.grants import folder_of
from tests.infra.template import STEPS
from tests.packages.arm64 import Arm64
from tests.packages.conftest import Package
from tests.packages.elf import SharedLibrary

FOLDERS = [folder_of(step) for step in STEPS]


@pytest.mark.parametrize("folder", FOLDERS)
def test_an_arm64_python_imports_the_handler_and_every_compiled_module(
    folder: str, package: Package, runtime: Path, arm64: Arm64
) -> None:
    compiled = sorted(name_of(module, package(folder)) for module in package(folder).rglob("*.so"))
    code = f"""
from importlib import import_module
handler = import_module("lambdas.{folder}.handler").lambda_handler
for name in {compiled}:
    import_module(name)
print(callable(handler))
"""
    done = arm64.run([package(folder), runtime], code)
    assert done.stdout.strip() == "True", done.stderr
    assert compiled


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_libraries_of_lambda_have_every_symbol_that_a_package_needs(
    folder: str, package: Package
) -> None:
    problems = {
        module.name: SharedLibrary.read(module).problems()
        for module in package(folder).rglob("*.so")
    }
    assert {name: found for name, found in problems.items() if found} == {}


@pytest.fixture
def wrong(package: Package, tmp_path: Path) -> Path:
    """A package whose msgspec is the wheel of this machine, not of Lambda's."""
    if sys.platform != "linux" or SharedLibrary.read(Path(sys.executable)).machine == "AArch64":
        pytest.skip("this machine's own wheels are the right ones")
    wrong = tmp_path / "package"
    shutil.copytree(package("record_feedback"), wrong)
    spec = find_spec("msgspec")
    assert spec is not None
    assert spec.origin is not None
    shutil.rmtree(wrong / "msgspec")
    shutil.copytree(Path(spec.origin).parent, wrong / "msgspec")
    return wrong


def test_a_wheel_for_another_machine_is_found_by_the_import(
    wrong: Path, runtime: Path, arm64: Arm64
) -> None:
    done = arm64.run([wrong, runtime], "import msgspec")
    assert "No module named 'msgspec._core'" in done.stderr or "cannot open" in done.stderr


def test_a_wheel_for_another_machine_is_found_by_its_header(wrong: Path) -> None:
    problems = [
        SharedLibrary.read(module).problems() for module in (wrong / "msgspec").rglob("*.so")
    ]
    assert any("built for Advanced Micro Devices X86-64" in text for (text, *_) in problems)


def test_machine_code_that_needs_a_newer_glibc_is_found(arm64: Arm64) -> None:
    # Debian trixie has glibc 2.41, and its programs ask for symbols that came after 2.34.
    problems = SharedLibrary.read(arm64.python).problems()
    assert [problem for problem in problems if problem.startswith("needs GLIBC_2.3")]


def name_of(module: Path, package: Path) -> str:
    """The name by which a compiled module is imported: `cryptography.hazmat.bindings._rust`."""
    folder = module.relative_to(package).parent
    return ".".join([*folder.parts, module.name.split(".")[0]])
