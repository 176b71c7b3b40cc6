"""The error of a file in `environments/`."""

from pathlib import Path


class EnvironmentFileError(ValueError):
    """Raised when a file cannot be used. Each line names a file, a key and the allowed values."""


def shown(file: Path) -> str:
    """Returns a file's path for an error text, as in `environments/prod.toml`."""
    parts = file.parts
    return "/".join(parts[-3:] if file.parent.name in ("senders", "policies") else parts[-2:])
