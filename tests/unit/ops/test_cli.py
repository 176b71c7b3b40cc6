"""The help of `ens`, as an operator reads it on a terminal of 80 columns."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from ops.cli import main


def commands(command: click.Command, words: str = "ens") -> Iterator[tuple[str, click.Command]]:
    """Every command and group, by its words."""
    yield words, command
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from commands(inner, f"{words} {name}")


def test_every_list_of_commands_describes_each_by_a_whole_sentence() -> None:
    for words, command in commands(main):
        if isinstance(command, click.Group):
            shown = command.get_help(click.Context(command, info_name=words, terminal_width=80))
            listed = shown.partition("Commands:")[2].splitlines()[1:]
            assert len(listed) == len(command.commands), words
            assert [line for line in listed if not line.endswith(".")] == []


def test_the_example_in_a_help_is_a_command_that_ens_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "panel.csv").touch()
    (tmp_path / "samples").symlink_to(Path("samples").resolve())
    monkeypatch.chdir(tmp_path)
    examples = [
        (words, command, command.epilog) for words, command in commands(main) if command.epilog
    ]
    assert len(examples) == 13
    for words, command, epilog in examples:
        assert epilog.startswith(f"Example: {words} ")
        command.make_context(words, shlex.split(epilog.removeprefix(f"Example: {words} ")))


def test_every_option_says_what_it_does() -> None:
    options = [
        (words, option.name, option.help)
        for words, command in commands(main)
        for option in command.params
        if isinstance(option, click.Option)
    ]
    assert len(options) > 80
    assert [(words, name) for words, name, text in options if not text] == []


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_any_encoding_of_the_terminal_can_take_the_output(encoding: str) -> None:
    """U+2013 is in none of the first two. JSON stays JSON, because an escape there has its own form."""
    script = (
        "import sys; from ops.cli import main; from ops.output import print_json;"
        "print_json(['\u2013 \xe9 \U0001f600']); main(['events', '--help'], standalone_mode=False);"
        "print('\u2013')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONIOENCODING": encoding},
        capture_output=True,
        check=True,
    )
    first, _, rest = done.stdout.decode(encoding).partition("]")
    assert json.loads(f"{first}]") == ["\u2013 \xe9 \U0001f600"]
    assert rest.rstrip().endswith(("\u2013", "\\u2013"))
