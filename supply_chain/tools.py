"""The tools' virtual environment in .build/supply_chain, installed once from a lock file with hashes."""

from pathlib import Path

from supply_chain import locked

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / ".build" / "supply_chain"
ENVIRONMENT = HOME / "python"
REQUIREMENTS = Path(__file__).parent / "requirements.txt"


def install() -> str:
    """Installs the tools if they are missing. Returns the error, "" on success."""
    HOME.mkdir(parents=True, exist_ok=True)
    return locked.install(ENVIRONMENT, REQUIREMENTS)


def command(name: str) -> str:
    """Returns the path of a tool's command."""
    return str(ENVIRONMENT / "bin" / name)
