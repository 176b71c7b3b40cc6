"""Formats the output of `ens`: tables for 80 columns, colour on a terminal only, JSON on request."""

import codecs
import csv
import json
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TextIO

import click
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table

from ops.settings import terminal_width_is_given

STATUS_STYLES = {"COMPLETED": "green", "FAILED": "bold red", "OPEN": "yellow"}
OUTCOME_STYLES = {
    "ok": "green",
    "completed": "green",
    "sent": "green",
    "delivered": "green",
    "failed": "bold red",
    "refused": "red",
    "bounced": "red",
    "unknown": "yellow",
    "unknown_patient": "yellow",
    "delayed": "yellow",
}
PIPED_WIDTH = 100
TABLE_WIDTH = 80
"""Columns that a table needs. A narrower terminal wraps its lines; cells of some letters are not readable."""
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")
"""First characters after which a spreadsheet may read a formula (OWASP, "CSV Injection"; ASVS 5.0, 1.2.10)."""


class LiteralConsole(Console):
    """Prints every text as it is: no markup is read, and a character that is not printable becomes `?`.

    A stored text may have been forged: a bracket must not end the program, nor an escape code hide a line.
    """

    def __init__(self, *, stderr: bool, width: int) -> None:
        super().__init__(stderr=stderr, width=width, markup=False, highlight=False, emoji=False)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        """Yields the segments of what is printed; those of rich's own terminal codes are unchanged."""
        for segment in super().render(renderable, options):
            text = "\n".join(map(one_line, segment.text.split("\n")))
            yield segment if segment.control else Segment(text, segment.style)


def console(*, stderr: bool = False) -> Console:
    """Returns a console on standard output or error: plain text when piped, 80 to 120 columns wide.

    Standard error may be narrower: a progress bar must fit into a line of the terminal.
    """
    width = min(shutil.get_terminal_size().columns, 120)
    if not Console(stderr=stderr).is_terminal and not terminal_width_is_given():
        width = PIPED_WIDTH
    return LiteralConsole(stderr=stderr, width=width if stderr else max(width, TABLE_WIDTH))


def one_line(text: str) -> str:
    """Returns a text with `?` for each character that is not printable, line ends included."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)


def print_json(document: object) -> None:
    """Writes a document as indented JSON to standard output. Dataclasses in it become objects.

    A character that is not printable is escaped, as JSON itself leaves codes above U+001F as they are. So
    is every one beyond ASCII where the output is not UTF-8.
    """
    ascii_alone = codecs.lookup(sys.stdout.encoding or "ascii").name != "utf-8"
    text = json.dumps(document, indent=2, ensure_ascii=ascii_alone, default=asdict)
    click.echo("".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text))


def write_csv(headings: Iterable[str], rows: Iterable[Iterable[str]], out: TextIO) -> None:
    """Writes a heading and the rows as CSV (RFC 4180); a cell that is a formula is quoted by an apostrophe."""
    writer = csv.writer(out)
    writer.writerow(headings)
    for row in rows:
        writer.writerow([f"'{cell}" if cell.startswith(FORMULA) else cell for cell in row])


def clock(moment: str) -> str:
    """Formats an ISO 8601 time as `2026-11-23 09:15:02` in UTC. "" gives ""."""
    if not moment:
        return ""
    return datetime.fromisoformat(moment).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def short_clock(moment: str) -> str:
    """Formats an ISO 8601 time as `11-23 09:15` in UTC. "" gives ""."""
    return clock(moment)[5:16]


def duration(milliseconds: int | None) -> str:
    """Formats a duration as `12 ms`, `3.4 s` or `2 min 5 s`. None gives an en dash."""
    if milliseconds is None:
        return "–"
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1000:.1f} s"
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    if minutes < 60:
        return f"{minutes} min {seconds} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} days"


def words(code: str) -> str:
    """Formats a code as words: `no_recipient` becomes `no recipient`, `ed_discharge` `ED discharge`."""
    said = code.replace("_", " ")
    return f"ED {said[3:]}" if said.startswith("ed ") else said


def sentence_case(text: str) -> str:
    """Returns the text with an upper-case first letter."""
    return text[:1].upper() + text[1:]


def markdown_cell(text: str) -> str:
    """Escapes a text so that it cannot end its cell of a Markdown table (GFM, "Tables (extension)")."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")


def table(*headings: str) -> Table:
    """Returns an empty table without lines. A heading that begins with `>` aligns its column right.

    The first column, the key of a row, stays on one line; other texts wrap, also within a long id.
    """
    made = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for number, heading in enumerate(headings):
        right = heading.startswith(">")
        made.add_column(
            heading.lstrip(">"),
            justify="right" if right else "left",
            no_wrap=right or number == 0,
            overflow="fold",
        )
    return made


def count(number: int, thing: str, plural: str = "") -> str:
    """Formats a number with its noun: `1 message`, `2 messages`."""
    return f"{number} {thing if number == 1 else plural or thing + 's'}"
