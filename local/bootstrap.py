"""Sets up a checkout: `.venv` with the pinned dependencies. Run by the system's Python, before any venv exists.

Its syntax suits Python 3.7, so that an old Python gets one clear sentence instead of a SyntaxError.
A second call finds the stamp of the first and returns at once, whichever Python runs it; an interrupted
one starts over. Two calls at once take turns.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PYTHON_NEEDED = (3, 11)
NODE_NEEDED = 20

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "hl7-ens.stamp"
LOCK = ROOT / "requirements.txt"


class SetUpError(Exception):
    """The machine lacks something; the text says what to do."""


def main() -> int:
    """The process's exit status; what is missing is said in one sentence on stderr."""
    try:
        check_node(node_version())
        if not is_set_up():
            check_python(sys.version_info[:2])
            with taking_turns():
                if not is_set_up():
                    set_up()
    except SetUpError as error:
        print(f"hl7-ens: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nhl7-ens: stopped; the next run takes up the set-up again.", file=sys.stderr)
        return 130
    return 0


def check_python(version: tuple[int, int]) -> None:
    """Raises `SetUpError` for a Python that is too old."""
    if version < PYTHON_NEEDED:
        needed, found = (".".join(map(str, v)) for v in (PYTHON_NEEDED, version))
        raise SetUpError(
            f"Python {needed} or newer is needed, and this is {found}."
            " Where a newer one is installed, name it: make run PYTHON=python3.13"
        )


def node_version() -> str:
    """The output of `node --version`; "" when there is no Node."""
    node = shutil.which("node")
    if node is None:
        return ""
    answer = subprocess.run([node, "--version"], stdout=subprocess.PIPE, check=False)
    return answer.stdout.decode("ascii", "replace").strip()


def check_node(version: str) -> None:
    """Raises `SetUpError` when Node is missing or too old: CDK runs on it."""
    number = re.match(r"v(\d+)\.", version)
    if number is None or int(number.group(1)) < NODE_NEEDED:
        found = f"this is {version}" if version else "no `node` was found"
        raise SetUpError(
            f"Node.js {NODE_NEEDED} or newer is needed (CDK runs on it), and {found}."
            " It can be had from https://nodejs.org"
        )


@contextmanager
def taking_turns() -> Iterator[None]:
    """Waits until no other process sets up this checkout, which `make run` and `make test` may do at once."""
    folder = os.open(str(LOCK.parent), os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another command, which is setting up .venv")
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def set_up() -> None:
    """Makes `.venv` and installs into it. Raises `SetUpError` when that fails."""
    if VENV.exists() and not STAMP.is_file():
        raise SetUpError(
            f"{VENV} exists and was not made by make: move it away, and the next run makes its own."
        )
    say("setting up .venv (the first time, and when requirements.txt has changed)")
    # Made anew, because what an interrupted installation leaves behind fails in strange ways. The
    # stamp comes first: with it, whatever else stands there is ours to remove.
    shutil.rmtree(VENV, ignore_errors=True)
    VENV.mkdir()
    STAMP.write_text("unfinished\n", "utf-8")
    run(
        [sys.executable, "-m", "venv", str(VENV)],
        "making .venv failed; on Debian and Ubuntu it takes the package python3-venv",
    )
    say("installing the pinned dependencies (a minute or two)")
    run(
        [
            str(VENV / "bin" / "python"),
            *("-m", "pip", "install", "--disable-pip-version-check", "--no-input"),
            # The lock names every dependency; pip resolves one with extras to its newest version.
            *("--progress-bar", "off", "--no-deps", "--require-hashes"),
            *("--requirement", str(LOCK)),
        ],
        "installing the dependencies failed; pip says above why",
    )
    done = stamp()
    if done is None:
        raise SetUpError(f"{VENV} has no Python that runs, though installing into it succeeded.")
    STAMP.write_text(done, "utf-8")


def is_set_up() -> bool:
    """Whether `.venv` holds what the lock file names, and its Python is still the one it was made for."""
    return STAMP.is_file() and STAMP.read_text("utf-8") == stamp()


def stamp() -> str | None:
    """The stamp of an up-to-date environment: the lock file, and the version of its own Python.

    None when its Python cannot be run.
    """
    lock = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    try:
        question = [str(VENV / "bin" / "python"), "-VV"]
        version = subprocess.check_output(question).decode("ascii", "replace").strip()
    except (OSError, subprocess.CalledProcessError):
        return None
    return f"{lock}\n{version}\n"


def run(words: list[str], failure: str) -> None:
    """Runs a command and says how far pip is. Raises `SetUpError` with `failure` after its last words."""
    said: list[str] = []
    fetched = 0
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True
    ) as command:
        for line in command.stdout or ():
            said.append(line)
            if line.startswith("Collecting "):
                fetched += 1
                if fetched % 25 == 0:
                    say(f"  {fetched} packages fetched")
            elif line.startswith("Installing collected"):
                say(f"  all {fetched} fetched, unpacking them")
    if command.returncode:
        sys.stderr.writelines(said[-20:])
        raise SetUpError(failure)


def say(what: str) -> None:
    """Prints one line of progress."""
    print(f"hl7-ens: {what}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
