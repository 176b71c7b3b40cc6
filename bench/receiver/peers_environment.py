"""The peers' packages in a virtual environment of their own, away from the project's requirements."""

import hashlib
import subprocess
import sys
import venv
from pathlib import Path

LOCK = Path(__file__).with_name("peers.txt")


def python(folder: Path) -> tuple[str, str]:
    """The interpreter that has the peers of the lock file, and why there is none ("" when there is).

    Made once; again when the lock file changes.
    """
    home = folder / "peers"
    interpreter = home / "bin" / "python"
    stamp = home / "lock.sha256"
    wanted = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return str(interpreter), ""
    print("Installing the peers' packages ...", flush=True)
    venv.EnvBuilder(with_pip=True, clear=True).create(home)
    done = subprocess.run(
        [interpreter, "-m", "pip", "install", "-q", "--require-hashes", "-r", LOCK],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return str(interpreter), f"its packages cannot be installed: {lines[-1] if lines else '?'}"
    stamp.write_text(wanted)
    return str(interpreter), ""
