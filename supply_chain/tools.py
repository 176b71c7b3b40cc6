"""The tools' virtual environment under .build/supply_chain, made once from a lock file with hashes."""

from pathlib import Path

from local import locked

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / ".build" / "supply_chain"
ENVIRONMENT = HOME / "python"
REQUIREMENTS = Path(__file__).parent / "requirements.txt"


def install() -> str:
    """Installs the tools unless they are there; returns why they cannot be installed, "" if they can."""
    HOME.mkdir(parents=True, exist_ok=True)
    return locked.install(ENVIRONMENT, REQUIREMENTS)


def command(name: str) -> str:
    """The path of a tool's command."""
    return str(ENVIRONMENT / "bin" / name)
