"""The messages of setting up a checkout on a machine that lacks something."""

import ast
import re
import shutil
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from local import bootstrap


@pytest.mark.parametrize("version", [(3, 7), (3, 10)])
def test_an_old_python_is_told_which_one_is_needed(version: tuple[int, int]) -> None:
    with pytest.raises(bootstrap.SetUpError, match=r"Python 3\.11 or newer is needed"):
        bootstrap.check_python(version)


@pytest.mark.parametrize("version", [(3, 11), (3, 14), (4, 0)])
def test_a_newer_python_is_taken(version: tuple[int, int]) -> None:
    bootstrap.check_python(version)


@pytest.mark.parametrize("version", ["", "v18.20.4", "v8.1.0", "nonsense"])
def test_a_missing_or_old_node_is_told_in_one_sentence(version: str) -> None:
    with pytest.raises(bootstrap.SetUpError, match=r"Node\.js 20 or newer is needed"):
        bootstrap.check_node(version)


@pytest.mark.parametrize("version", ["v20.20.2", "v24.1.0"])
def test_a_node_that_cdk_runs_on_is_taken(version: str) -> None:
    bootstrap.check_node(version)


def test_its_syntax_is_one_that_an_old_python_can_read() -> None:
    source = Path(bootstrap.__file__).read_text("utf-8")

    ast.parse(source, feature_version=(3, 7))


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout in which commands are only noted down, in `ran.txt`."""
    venv = tmp_path / ".venv"
    (tmp_path / "requirements.txt").write_text("one==1\n")
    monkeypatch.setattr(bootstrap, "VENV", venv)
    monkeypatch.setattr(bootstrap, "STAMP", venv / "hl7-ens.stamp")
    monkeypatch.setattr(bootstrap, "LOCK", tmp_path / "requirements.txt")
    monkeypatch.setattr(bootstrap, "node_version", lambda: "v20.20.2")

    def note(words: list[str], failure: str) -> None:
        with (tmp_path / "ran.txt").open("a") as notes:
            notes.write(" ".join(words) + "\n")
        python = venv / "bin" / "python"
        if not python.exists():
            python.parent.mkdir()
            python.write_text("#!/bin/sh\necho Python 3.11.9\n")
            python.chmod(0o755)

    monkeypatch.setattr(bootstrap, "run", note)
    return tmp_path


def commands(checkout: Path) -> int:
    notes = checkout / "ran.txt"
    return len(notes.read_text().splitlines()) if notes.exists() else 0


def test_the_second_time_nothing_is_done(checkout: Path) -> None:
    bootstrap.main()
    done = commands(checkout)

    assert bootstrap.main() == 0

    assert done > 0
    assert commands(checkout) == done


def test_a_changed_lock_is_installed_anew(checkout: Path) -> None:
    bootstrap.set_up()
    done = commands(checkout)
    (checkout / "requirements.txt").write_text("one==2\n")

    bootstrap.main()

    assert commands(checkout) == 2 * done


def test_another_python_that_calls_does_not_make_it_anew(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bootstrap.set_up()
    monkeypatch.setattr(sys, "executable", "/usr/bin/another-python")
    monkeypatch.setattr(sys, "version_info", (3, 9, 0))

    assert bootstrap.is_set_up()
    assert bootstrap.main() == 0


def test_an_environment_whose_python_is_gone_is_not_ready(checkout: Path) -> None:
    bootstrap.set_up()
    (checkout / ".venv" / "bin" / "python").unlink()

    assert not bootstrap.is_set_up()


def test_an_environment_that_lost_its_python_meanwhile_is_not_called_ready(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = bootstrap.run

    def removed(words: list[str], failure: str) -> None:
        note(words, failure)
        shutil.rmtree(checkout / ".venv" / "bin")

    monkeypatch.setattr(bootstrap, "run", removed)

    with pytest.raises(bootstrap.SetUpError, match="no Python that runs"):
        bootstrap.set_up()
    assert not bootstrap.is_set_up()


def test_two_set_ups_at_once_take_turns_and_the_second_does_nothing(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    note = bootstrap.run
    began, may_go_on = threading.Event(), threading.Event()

    def slow(words: list[str], failure: str) -> None:
        began.set()
        assert may_go_on.wait(10)
        note(words, failure)

    monkeypatch.setattr(bootstrap, "run", slow)
    with ThreadPoolExecutor() as threads:
        first = threads.submit(bootstrap.main)
        assert began.wait(10)
        second = threads.submit(bootstrap.main)
        deadline = time.monotonic() + 10
        while "waiting for another command" not in capsys.readouterr().out:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        may_go_on.set()

        assert (first.result(10), second.result(10)) == (0, 0)
    assert commands(checkout) == 2


def test_an_interrupted_set_up_starts_over(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    note = bootstrap.run

    def interrupted(words: list[str], failure: str) -> None:
        note(words, failure)
        if "pip" in words:
            raise KeyboardInterrupt

    monkeypatch.setattr(bootstrap, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        bootstrap.set_up()
    done = commands(checkout)
    monkeypatch.setattr(bootstrap, "run", note)

    bootstrap.main()

    assert commands(checkout) == 2 * done


def test_an_environment_that_somebody_else_made_is_left_alone(checkout: Path) -> None:
    (checkout / ".venv").mkdir()
    precious = checkout / ".venv" / "precious"
    precious.touch()

    with pytest.raises(bootstrap.SetUpError, match="not made by make"):
        bootstrap.set_up()

    assert precious.exists()


def test_the_lock_names_every_dependency_so_that_pip_resolves_none() -> None:
    """pip takes the newest version of `coverage[toml]`, whatever version the lock names."""
    text = bootstrap.LOCK.read_text("utf-8")
    locked = {canonicalize_name(name) for name in re.findall(r"^([\w.-]+)==", text, re.MULTILINE)}
    asked = {(name, "") for name in locked if _installed(name)}
    lacking, waiting = set(), list(asked)
    while waiting:
        name, extra = waiting.pop()
        for requirement in map(Requirement, metadata.requires(name) or ()):
            if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
                continue
            needed = canonicalize_name(requirement.name)
            if needed not in locked:
                lacking.add(f"{needed}, for {name}")
                continue
            new = {(needed, wanted) for wanted in requirement.extras} - asked
            asked |= new
            waiting += new
    assert len(asked) > 100
    assert lacking == set()


def _installed(name: str) -> bool:
    """Whether this machine has it: some are for other systems only."""
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True
