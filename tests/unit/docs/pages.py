"""The project's Markdown pages, and the commands in their code blocks and code spans."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("bench/*.md"), *ROOT.glob("docs/**/*.md")])

_BLOCK = re.compile(r"^ *```\w*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
# After `VARIABLE=value `, `VARIABLE=$(` and at the start of a line.
_START = r"(?:^|\$\()\s*(?:[A-Z_]+=\S+\s+)*(?:\./)?"
_ENDS = {"|", "||", "&&", ";", ">", ">>"}


@dataclass(frozen=True, slots=True)
class Command:
    """A command as a page shows it: its words, without what follows a pipe or two blanks."""

    page: str
    words: tuple[str, ...]

    @property
    def options(self) -> list[str]:
        """The long options, without values."""
        return [word.partition("=")[0] for word in self.words if re.match(r"--[a-z]", word)]

    def __str__(self) -> str:
        return f"{self.page}: {' '.join(self.words)}"


def commands(program: str) -> list[Command]:
    """Every command of a program in all pages."""
    starts = re.compile(f"{_START}({program} .*)")
    return [
        Command(page.relative_to(ROOT).as_posix(), tuple(_words(start.group(1))))
        for page in PAGES
        for line in _lines(page)
        for start in starts.finditer(line)
    ]


def _lines(page: Path) -> Iterator[str]:
    """The logical lines of the blocks, and the spans outside of them."""
    text = page.read_text("utf-8")
    for block in _BLOCK.findall(text):
        yield from re.sub(r"\\\n\s*", "", block).splitlines()
    yield from _SPAN.findall(_BLOCK.sub("", text))


def _words(command: str) -> Iterator[str]:
    # An explanation stands behind the command, after at least three blanks.
    command = re.split(r" {3,}(?!-)", command)[0]
    try:
        words = shlex.split(command)
    except ValueError:  # `$(…)` inside of quotes ends in the middle of a pair
        words = command.split()
    for word in words:
        if word in _ENDS:
            return
        yield word.rstrip(")")
        if word.endswith(";"):
            return
