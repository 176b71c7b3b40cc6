"""The help of `ens`, as an operator reads it on a terminal of 80 columns."""

from collections.abc import Iterator

import click

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


def test_every_option_says_what_it_does() -> None:
    options = [
        (words, option.name, option.help)
        for words, command in commands(main)
        for option in command.params
        if isinstance(option, click.Option)
    ]
    assert len(options) > 80
    assert [(words, name) for words, name, text in options if not text] == []
