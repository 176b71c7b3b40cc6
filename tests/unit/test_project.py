"""The project's own files: its version, its libraries, its licence and its sources."""

import subprocess
import tomllib
from pathlib import Path

from click.testing import CliRunner

from ops import __version__
from ops.cli import main

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_ens_prints_its_version() -> None:
    result = CliRunner().invoke(main, ["--version"])
    assert result.output == f"ens {__version__}\n"


def test_each_library_of_ens_is_pinned_as_in_the_dependency_groups() -> None:
    grouped = {
        entry
        for group in PROJECT["dependency-groups"].values()
        for entry in group
        if isinstance(entry, str)
    }
    assert set(PROJECT["project"]["dependencies"]) <= grouped


def test_each_file_of_data_named_in_the_notice_exists() -> None:
    notice = (ROOT / "NOTICE").read_text()
    named = [line.split()[1] for line in notice.splitlines() if line.startswith("File: ")]
    assert named
    assert not [name for name in named if not (ROOT / name).exists()]


def test_the_packed_data_of_others_are_named_in_the_notice() -> None:
    notice = (ROOT / "NOTICE").read_text()
    packed = (ROOT / "simulators" / "comprehend_medical" / "data").glob("*.gz")
    assert not [p.name for p in packed if p.relative_to(ROOT).as_posix() not in notice]


def test_the_gate_becomes_root_for_the_stages_that_change_root(tmp_path: Path) -> None:
    """GitHub's runners are not root, and .ci/image and .ci/packages end for every other user.

    GitHub Actions documentation, "GitHub-hosted runners", "Administrative privileges": passwordless sudo.
    """
    programs = {"id": "echo 1001", "sudo": 'echo "sudo: $*"', "make": "", "timeout": ""}
    for name, body in {**programs, "chromium": ""}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(
        [ROOT / ".ci" / "run"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    as_root = [line for line in done.stdout.splitlines() if line.startswith("sudo: ")]
    assert [line.split()[-1] for line in as_root] == [".ci/image", ".ci/packages"]
