"""Prints a report on the terminal."""

from rich.console import Console
from rich.text import Text

from ops.feed.report.finding import FeedFinding, Severity
from ops.feed.report.report import FeedReport
from ops.feed.report.sections import sections, summary
from ops.output import count, table

STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "default"}
INDENT = 9


def print_report(report: FeedReport, out: Console) -> None:
    """Prints summary, findings, tables and the proposed file."""
    for line in summary(report):
        out.print(Text(line))
    out.print()
    for one in report.findings:
        _print_finding(one, out)
    for section in sections(report):
        _title(section.title, out)
        made = table(*section.headings)
        made.show_header = any(section.headings)
        for row in section.rows:
            made.add_row(*map(Text, row))
        out.print(made)
        if section.note:
            out.print(Text(section.note, style="dim"))
    _title(f"Proposed file: environments/senders/{report.sender}.toml", out)
    # Not wrapped, so that it can be copied.
    out.print(Text(report.proposed_file.rstrip("\n")), soft_wrap=True)
    out.print()
    numbers = (count(report.count(one), f"{one} finding") for one in Severity if one != "info")
    out.print(f"{' and '.join(numbers)}.")


def _title(title: str, out: Console) -> None:
    out.print()
    out.print(Text(title, style="bold"))


def _print_finding(one: FeedFinding, out: Console) -> None:
    head = Text(f"{one.severity:<{INDENT}}", style=STYLES[one.severity])
    head.append(f"{one.subject}: {one.what} ", style="default").append(one.share, style="dim")
    _hanging(head, out)
    places = "; ".join(map(str, one.examples))
    parts = (("", one.consequence), ("ask: ", one.ask), ("do: ", one.do), ("see: ", places))
    for title, text in parts:
        if text and (one.severity is not Severity.INFO or title == "ask: "):
            _hanging(Text(" " * INDENT + title + text), out)


def _hanging(text: Text, out: Console) -> None:
    """Prints a text whose further lines are indented."""
    lines = text[INDENT:].wrap(out, max(out.width - INDENT, 20))
    for number, line in enumerate(lines):
        out.print((text[:INDENT] if number == 0 else Text(" " * INDENT)) + line, soft_wrap=True)
