"""The lock files of the repository, found by their content."""

import json
from pathlib import Path

NOT_OURS = {"node_modules", "cdk.out"}
MARK = b"--hash=sha256:"


def python_locks(root: Path) -> list[Path]:
    """Every requirements file with hashes, by path."""
    return [path for path in _files(root, "*.txt") if MARK in path.read_bytes()]


def node_locks(root: Path) -> list[Path]:
    """Every package-lock.json that names a package, by path."""
    return [
        path
        for path in _files(root, "package-lock.json")
        if len(json.loads(path.read_text("utf-8")).get("packages", {})) > 1
    ]


def title(root: Path, lock: Path) -> str:
    """Returns a lock file's path as a file name without suffix: `receiver-requirements`."""
    return "-".join(lock.relative_to(root).with_suffix("").parts)


def _files(root: Path, pattern: str) -> list[Path]:
    """Files that match, without hidden folders (.venv, .build) and node_modules."""
    found = list(root.glob(pattern))
    for folder in root.iterdir():
        if folder.is_dir() and not folder.name.startswith(".") and folder.name not in NOT_OURS:
            found += [path for path in folder.rglob(pattern) if not NOT_OURS & set(path.parts)]
    return sorted(found)
