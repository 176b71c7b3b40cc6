"""Writes a software bill of materials (CycloneDX 1.6, JSON) for each lock file.

Python: `cyclonedx-py requirements` (https://cyclonedx-bom-tool.readthedocs.io). Node: `npm sbom`
(https://docs.npmjs.com/cli/commands/npm-sbom). Both read the lock file alone and need no network.
"""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from supply_chain import locks, tools

TIMEOUT_SECONDS = 120
"""Seconds for one lock file."""


class SbomError(Exception):
    """Raised when a bill of materials cannot be written. Names the lock file and the tool's last line."""


def write_all(root: Path, folder: Path) -> list[str]:
    """Writes a bill of materials to `folder` for each lock file below `root`. Returns a line for each.

    Raises `SbomError` when a tool fails or names no component.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for lock in [*locks.python_locks(root), *locks.node_locks(root)]:
        bill = _python(lock) if lock.suffix == ".txt" else _node(lock)
        components = len(json.loads(bill).get("components", []))
        if not components:
            raise SbomError(f"{lock.relative_to(root)}: the bill of materials names no component")
        file = folder / f"{locks.title(root, lock)}.cdx.json"
        file.write_text(bill, "utf-8")
        lines.append(f"{file.relative_to(root)}: {components} components")
    return lines


def _python(lock: Path) -> str:
    words = [tools.command("cyclonedx-py"), "requirements", "--output-reproducible", str(lock)]
    return _output(words, lock, lock.parent)


def _node(lock: Path) -> str:
    """`npm sbom` fails for a root package without a version, so it reads a copy with one."""
    words = ["npm", "sbom", "--sbom-format", "cyclonedx", "--package-lock-only"]
    with tempfile.TemporaryDirectory() as copy:
        shutil.copy(lock, copy)
        package = json.loads(lock.with_name("package.json").read_text("utf-8"))
        package.setdefault("version", "0.0.0")
        (Path(copy) / "package.json").write_text(json.dumps(package), "utf-8")
        return _output(words, lock, Path(copy))


def _output(words: list[str], lock: Path, folder: Path) -> str:
    try:
        done = subprocess.run(
            words, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise SbomError(
            f"{lock}: {words[0]} did not end within {TIMEOUT_SECONDS} seconds"
        ) from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it printed no reason"])[-1]
        raise SbomError(f"{lock}: {Path(words[0]).name} ended with {done.returncode}: {last}")
    return done.stdout
