"""The judges' tools: checkov in a virtual environment, the policy evaluator in a folder of npm's.

Both are made once under .build/judges from lock files with hashes, and again when a lock file changes.
"""

import hashlib
import shutil
import subprocess
from pathlib import Path

from supply_chain import locked

HERE = Path(__file__).parent
HOME = Path(__file__).resolve().parents[3] / ".build" / "judges"
PYTHON, NODE = HOME / "python", HOME / "node"
REQUIREMENTS, PACKAGES = HERE / "requirements.txt", HERE / "package-lock.json"

MISSING = "the judges' tools are not installed: run `make judges`"


def has_checkov() -> bool:
    """Whether checkov is there as its lock file says."""
    return locked.is_current(PYTHON, REQUIREMENTS)


def has_evaluator() -> bool:
    """Whether the policy evaluator is there as its lock file says."""
    stamp = NODE / locked.STAMP
    return stamp.exists() and stamp.read_text() == _digest()


def install() -> list[str]:
    """Installs what is missing; returns why a tool cannot be installed, one sentence each."""
    HOME.mkdir(parents=True, exist_ok=True)
    return [problem for problem in (locked.install(PYTHON, REQUIREMENTS), _evaluator()) if problem]


def _evaluator() -> str:
    if has_evaluator():
        return ""
    shutil.rmtree(NODE, ignore_errors=True)
    NODE.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, NODE / name)
    done = subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--silent"],
        cwd=NODE,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return f"the policy evaluator cannot be installed: npm ci ended with {done.returncode}"
    (NODE / locked.STAMP).write_text(_digest())
    return ""


def _digest() -> str:
    return hashlib.sha256(PACKAGES.read_bytes()).hexdigest()
