"""Installs the peers' packages in their own virtual environment."""

from pathlib import Path

from supply_chain import locked

LOCK = Path(__file__).with_name("peers.txt")


def python(folder: Path) -> tuple[str, str]:
    """The interpreter that has the peers of the lock file, and why there is none ("" when there is).

    Made once; again when the lock file changes.
    """
    home = folder / "peers"
    if not locked.is_current(home, LOCK):
        print("Installing the peers' packages ...", flush=True)
    return str(locked.interpreter(home)), locked.install(home, LOCK)
