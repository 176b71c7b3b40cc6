"""The receiver's image asset: which files go in, and when its hash changes."""

import os
import shutil
from pathlib import Path

import aws_cdk as cdk
import pytest

from infra.app import new_app
from infra.ingress.image import receiver_image
from tests.conftest import ROOT

FOLDERS = {"receiver", "hl7"}
"""The packages that the receiver may import, besides the standard library and its requirements."""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the files that the image is made of, and of some that it is not."""
    checkout = tmp_path / "checkout"
    for folder in ("receiver", "hl7", "infra"):
        if (ROOT / folder).is_dir():
            shutil.copytree(ROOT / folder, checkout / folder)
    shutil.copy(ROOT / ".dockerignore", checkout)
    return checkout


def context(root: Path, out: Path) -> Path:
    """The folder that CDK stages as the build context; its name ends in the asset's hash."""
    image = receiver_image(cdk.Stack(new_app(str(out)), "stack"), root)
    return out / f"asset.{image.asset_hash}"


def test_the_build_context_holds_the_receiver_and_the_hl7_kit_only(tmp_path: Path) -> None:
    staged = context(ROOT, tmp_path / "out")
    names = {path.name for path in staged.iterdir()} - {".dockerignore"}
    assert "receiver" in names <= FOLDERS
    files = [path for path in staged.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} - {"", ".py", ".toml", ".txt"} == set()


def test_the_build_context_holds_the_dockerfile_and_every_file_it_copies(tmp_path: Path) -> None:
    staged = context(ROOT, tmp_path / "out")
    assert (staged / "receiver" / "Dockerfile").is_file()
    assert (staged / "receiver" / "requirements.txt").is_file()
    assert (staged / "receiver" / "__main__.py").is_file()


def test_every_checkout_gives_the_image_the_same_hash(checkout: Path, tmp_path: Path) -> None:
    os.utime(checkout / "receiver" / "app.py", (0, 0))
    (checkout / "receiver" / "__pycache__").mkdir(exist_ok=True)
    (checkout / "receiver" / "__pycache__" / "app.cpython-313.pyc").write_bytes(b"\0")
    (checkout / ".build").mkdir()
    (checkout / ".build" / "anything").touch()
    here, there = context(ROOT, tmp_path / "here"), context(checkout, tmp_path / "there")
    assert here.name == there.name


@pytest.mark.parametrize(
    ("changed", "is_built_anew"),
    [
        ("receiver/app.py", True),
        ("receiver/requirements.txt", True),
        ("receiver/Dockerfile", True),
        ("hl7/mllp.py", True),
        ("infra/app.py", False),
        ("README.md", False),
    ],
)
def test_the_image_is_built_anew_when_a_file_in_it_changes(
    changed: str, is_built_anew: bool, checkout: Path, tmp_path: Path
) -> None:
    before = context(checkout, tmp_path / "before")
    file = checkout / changed
    file.parent.mkdir(exist_ok=True)
    file.write_bytes((file.read_bytes() if file.exists() else b"") + b"\n")
    assert (context(checkout, tmp_path / "after").name != before.name) is is_built_anew
