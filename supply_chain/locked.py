"""A virtual environment of its own for packages that the project's requirements cannot hold."""

import hashlib
import subprocess
import sys
import venv
from pathlib import Path

STAMP = "lock.sha256"


def interpreter(home: Path) -> Path:
    """The environment's Python."""
    return home / "bin" / "python"


def is_current(home: Path, lock: Path) -> bool:
    """Whether the environment at `home` holds exactly what the lock file says, for this Python."""
    stamp = home / STAMP
    return stamp.exists() and stamp.read_text() == _digest(lock)


def install(home: Path, lock: Path) -> str:
    """Makes the environment at `home` from a hashed lock file, unless it is there already.

    Returns why it cannot be made, "" when it is ready.
    """
    if is_current(home, lock):
        return ""
    venv.EnvBuilder(with_pip=True, clear=True).create(home)
    done = subprocess.run(
        [
            *(interpreter(home), "-m", "pip", "install", "-q"),
            # The lock names every dependency; pip resolves one with extras to its newest version.
            *("--no-deps", "--require-hashes", "-r", lock),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return f"its packages cannot be installed: {lines[-1] if lines else '?'}"
    (home / STAMP).write_text(_digest(lock))
    return ""


def _digest(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()
