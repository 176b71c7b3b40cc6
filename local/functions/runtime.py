"""The packages of Lambda's Python runtime: boto3 and its requirements."""

import importlib.util
import shutil
from pathlib import Path

BROUGHT = ("boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six")


def runtime_folder(folder: Path) -> Path:
    """`folder` with links to those packages of our own environment, and nothing else.

    One that is right already stays as it is: another local run may be using it.
    """
    wanted = {source.name: source for source in map(_source, BROUGHT)}
    if folder.is_dir() and {path.name: path.readlink() for path in folder.iterdir()} == wanted:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, source in wanted.items():
        (folder / name).symlink_to(source)
    return folder


def _source(name: str) -> Path:
    """The folder or file of an installed top-level package."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{name} is not installed; `make run` installs it")
    origin = Path(spec.origin)
    return origin.parent if origin.name == "__init__.py" else origin
