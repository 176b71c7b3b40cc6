"""The cloud assembly of the local environment, synthesised when one of its inputs has changed."""

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / ".build" / "local"
INPUTS = ("environments", "hl7", "infra", "lambdas", "statemachine")
KEPT = 3
"""Assemblies that stay: another local run may still be using one that is no longer the newest."""

SYNTH = "import sys; from infra.app import build; build('local', sys.argv[1])"


class SynthError(Exception):
    """The CDK app did not synthesise; the text is what it said."""


def found() -> Path | None:
    """The folder of the assembly that was made from the present inputs; None when there is none yet."""
    folder = BUILD / key(INPUTS)
    if not folder.exists():
        return None
    folder.touch()
    return folder


def make() -> Path:
    """Synthesises the assembly and returns its folder. Raises `SynthError` when the CDK app fails."""
    folder = BUILD / key(INPUTS)
    BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD, prefix="unfinished-") as scratch:
        fresh = Path(scratch) / "assembly"
        _synthesise(fresh)
        try:
            fresh.rename(folder)
        except OSError:
            # Another run was faster; what it made is the same.
            if not folder.exists():
                raise
    _remove_old()
    return folder


def _synthesise(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SYNTH, str(folder)],
        cwd=ROOT,
        env={
            **os.environ,
            # jsii's own warnings about Node versions; which one we need is checked before.
            "JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION": "1",
            "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
            "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SynthError(done.stdout.strip())


def key(inputs: Iterable[str]) -> str:
    """SHA-256 over these folders and the requirements, the machine's kind included: 16 hex digits."""
    digest = hashlib.sha256(f"{sys.version}\0{sysconfig.get_platform()}\0".encode())
    files = [path for name in inputs for path in (ROOT / name).rglob("*") if _is_input(path)]
    for path in sorted([ROOT / "requirements.txt", *files]):
        digest.update(f"{path.relative_to(ROOT).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _is_input(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts


def _remove_old() -> None:
    made = [path for path in BUILD.iterdir() if not path.name.startswith("unfinished-")]
    by_age = sorted(made, key=lambda path: path.stat().st_mtime, reverse=True)
    for path in by_age[KEPT:]:
        shutil.rmtree(path, ignore_errors=True)
