"""The error of a file in `environments/`, and how it names a file."""

from pathlib import Path


class EnvironmentFileError(ValueError):
    """A file cannot be used. The text names each file, key and the allowed values, one line each."""


def shown(file: Path) -> str:
    """The path of a file as errors show it: `environments/prod.toml`."""
    parts = file.parts
    return "/".join(parts[-3:] if file.parent.name == "senders" else parts[-2:])
