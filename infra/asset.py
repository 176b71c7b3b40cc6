"""Builds a function's package without Docker: shared code, the step's folder, its requirements.

The same tree in the repository, in the asset and in AWS, so that imports mean the same everywhere.
"""

import compileall
import hashlib
import os
import py_compile
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import aws_cdk as cdk
import jsii
from aws_cdk import aws_lambda as lambda_

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / ".build" / "packages"
SHARED = {
    "delivery": ("deliver_notification",),
    "delivery/ledger": ("lookup_identities", "record_feedback", "release_deliveries"),
    "encounters": ("deliver_notification", "lookup_identities", "track_encounter"),
    "policy": ("deliver_notification", "lookup_identities"),
    "registry": ("deliver_notification", "lookup_identities"),
}
"""Folders of lambdas/ that several steps ship, with these steps (tests/unit/test_imports.py)."""
RECIPE = "1"
"""Raise it when the build changes, so that every function is deployed again."""


@dataclass(frozen=True, slots=True)
class Target:
    """The machine of a package: pip's options, and the Python version that compiles its bytecode."""

    name: str
    pip: tuple[str, ...]
    python: str | None

    @classmethod
    def of(cls, kind: Literal["lambda", "host"]) -> "Target":
        """AWS Lambda's python3.13 on arm64, or the interpreter that runs this app."""
        return _HOST if kind == "host" else _lambda()


_HOST = Target(
    name=f"{sys.implementation.cache_tag}-{sysconfig.get_platform()}",
    pip=(),
    python=sys.executable,
)


def _lambda() -> Target:
    # Amazon Linux 2023, which python3.13 runs on, has glibc 2.34: wheels up to manylinux_2_34 fit.
    platforms = ("manylinux2014_aarch64", "manylinux_2_17_aarch64", "manylinux_2_28_aarch64")
    return Target(
        name="lambda-cp313-aarch64",
        pip=(
            *(word for platform in platforms for word in ("--platform", platform)),
            *("--implementation", "cp", "--python-version", "3.13"),
        ),
        python=_find_python("3.13"),
    )


@cache
def _find_python(version: str) -> str | None:
    """Returns the path of a Python of exactly this version, None when there is none or only a broken shim.

    It is looked for once: each of the nine functions asks, and a shim takes up to half a second.
    """
    found = shutil.which(f"python{version}")
    if found is None:
        return None
    question = "import sys; print('%d.%d' % sys.version_info[:2])"
    answer = subprocess.run([found, "-c", question], capture_output=True, text=True, check=False)
    return found if answer.stdout.strip() == version else None


def code_of(step: str, target: Target) -> lambda_.Code:
    """Returns the package of a step (its folder under lambdas/). Its hash is over sources, lock and target."""
    return lambda_.Code.from_asset(
        str(ROOT / "lambdas" / step),
        asset_hash_type=cdk.AssetHashType.CUSTOM,
        asset_hash=asset_hash(step, target),
        bundling=cdk.BundlingOptions(
            # Never pulled: the local bundler either succeeds or raises.
            image=cdk.DockerImage.from_registry("scratch"),
            local=_Bundler(step, target),
        ),
    )


def asset_hash(step: str, target: Target) -> str:
    """Returns the SHA-256 in hex over the package's sources, the same on every machine."""
    digest = hashlib.sha256(f"{RECIPE}\0{target.name}\0".encode())
    for path in sources(step):
        digest.update(f"{path.relative_to(ROOT).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def sources(step: str) -> list[Path]:
    """Returns the repository's files in a step's package, in a fixed order."""
    lambdas = ROOT / "lambdas"
    shared = [lambdas / name for name, steps in SHARED.items() if step in steps]
    folders = (ROOT / "hl7", lambdas / "common", lambdas / step, *shared)
    found = {path for folder in folders for path in folder.rglob("*") if _belongs(path)}
    packages = {folder.parent / "__init__.py" for folder in folders if folder.parent != ROOT}
    return sorted(found | packages)


def _belongs(path: Path) -> bool:
    parts = path.relative_to(ROOT).parts
    hidden = any(part.startswith(".") or part == "__pycache__" for part in parts)
    return path.is_file() and not hidden and path.suffix != ".pyc"


def build(step: str, target: Target, output: Path) -> None:
    """Writes a step's package to an existing folder. Raises `CalledProcessError` when pip fails."""
    packages = install(ROOT / "lambdas" / step / "requirements.txt", target)
    shutil.copytree(packages, output, dirs_exist_ok=True)
    for path in sources(step):
        copy = output / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    for package in ("hl7", "lambdas"):
        _compile(output / package, target)


def install(lock: Path, target: Target) -> Path:
    """Returns the folder with a lock file's packages for a target. They are installed once.

    Steps with equal locks share it. Without a network the packages must be in pip's cache.
    """
    key = hashlib.sha256(f"{RECIPE}\0{target.name}\0".encode() + lock.read_bytes()).hexdigest()
    folder = BUILD / f"{target.name}-{key[:16]}"
    if folder.exists():
        return folder
    BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD, prefix="unfinished-") as scratch:
        fresh = Path(scratch) / "packages"
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "install", "--quiet", "--no-input"),
                *("--disable-pip-version-check", "--no-compile", "--no-deps", "--require-hashes"),
                *("--only-binary=:all:", "--target", str(fresh), "--requirement", str(lock)),
                *target.pip,
            ],
            check=True,
        )
        shutil.rmtree(fresh / "bin", ignore_errors=True)
        _compile(fresh, target)
        try:
            fresh.rename(folder)
        except OSError:
            # Another synth has installed the same packages meanwhile.
            if not folder.exists():
                raise
    return folder


def _compile(folder: Path, target: Target) -> None:
    """Compiles the bytecode if this machine has the target's Python; else Lambda compiles at the first start.

    Unchecked: the files' times change on the way to AWS, and sources and bytecode travel together.
    """
    if target.python == sys.executable:
        compileall.compile_dir(
            folder,
            quiet=2,
            stripdir=str(folder.parent),
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
    elif target.python:
        subprocess.run(
            [
                *(target.python, "-m", "compileall", "-qq", "-s", str(folder.parent)),
                *("--invalidation-mode", "unchecked-hash", str(folder)),
            ],
            check=False,
            env={k: v for k, v in os.environ.items() if not k.startswith("PYTHON")},
        )


@jsii.implements(cdk.ILocalBundling)
class _Bundler:
    """CDK's local bundler for a package. `try_bundle` always returns True, so CDK never runs Docker."""

    def __init__(self, step: str, target: Target) -> None:
        self._step = step
        self._target = target

    def try_bundle(self, output_dir: str, *_options: Any, **_more: Any) -> bool:
        build(self._step, self._target, Path(output_dir))
        return True
