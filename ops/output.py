"""How `ens` writes: tables and timelines that fit 80 columns, colour only on a terminal, JSON on request."""

import json
import shutil
from datetime import UTC, datetime
from typing import Any

import click
from rich.console import Console
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


def console(*, stderr: bool = False) -> Console:
    """A rich console on standard output (or error): plain text when piped, and never wider than 120."""
    terminal = Console(stderr=stderr, highlight=False, soft_wrap=False, emoji=False)
    if not terminal.is_terminal and not terminal_width_is_given():
        return Console(stderr=stderr, highlight=False, emoji=False, width=PIPED_WIDTH)
    width = min(shutil.get_terminal_size().columns, 120)
    return Console(stderr=stderr, highlight=False, emoji=False, width=width)


def print_json(document: Any) -> None:
    """Writes a document as indented JSON to standard output."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


def clock(moment: str) -> str:
    """A moment as an operator reads it: `2026-11-23 09:15:02` in UTC; "" for none."""
    if not moment:
        return ""
    return datetime.fromisoformat(moment).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def short_clock(moment: str) -> str:
    """A moment in a list: `11-23 09:15` in UTC; "" for none."""
    return clock(moment)[5:16]


def duration(milliseconds: int | None) -> str:
    """A duration as `12 ms`, `3.4 s` or `2 min 5 s`; an en dash where nothing was measured."""
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
    """A code as words: `no_recipient` becomes `no recipient`, `ed_discharge` `ED discharge`."""
    said = code.replace("_", " ")
    return f"ED {said[3:]}" if said.startswith("ed ") else said


def sentence_case(text: str) -> str:
    """A text with its first letter upper case and the rest as it is."""
    return text[:1].upper() + text[1:]


def table(*headings: str) -> Table:
    """An empty table without lines, its columns two blanks apart; headings may be aligned `>right`."""
    made = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for heading in headings:
        right = heading.startswith(">")
        made.add_column(heading.lstrip(">"), justify="right" if right else "left", no_wrap=right)
    return made


def count(number: int, thing: str, plural: str = "") -> str:
    """A number and its thing: `1 message`, `2 messages`."""
    return f"{number} {thing if number == 1 else plural or thing + 's'}"
