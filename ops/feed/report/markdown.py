"""Writes a report as Markdown, to be sent to a hospital's interface team."""

from collections.abc import Iterator

from ops.feed.report.finding import FeedFinding
from ops.feed.report.report import FeedReport
from ops.feed.report.sections import Section, sections, summary
from ops.output import sentence_case


def markdown(report: FeedReport) -> str:
    """The report as Markdown (CommonMark with tables)."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: FeedReport) -> Iterator[str]:
    yield f"# Feed of {report.sender}"
    yield ""
    for line in summary(report):
        yield f"- {_escaped(line)}"
    yield ""
    yield "## Findings"
    yield ""
    if not report.findings:
        yield "None."
    for number, one in enumerate(report.findings, start=1):
        yield from _finding(number, one)
    for section in sections(report):
        yield from _section(section)
    yield ""
    yield f"## Proposed file: environments/senders/{report.sender}.toml"
    yield ""
    yield "```toml"
    yield report.proposed_file.rstrip("\n")
    yield "```"


def _finding(number: int, one: FeedFinding) -> Iterator[str]:
    yield f"{number}. **{sentence_case(one.severity)}, {_escaped(one.subject)}**: {_escaped(one.what)}"
    for title, text in (
        ("", f"{one.share}." if one.share else ""),
        ("", one.consequence),
        ("Ask: ", one.ask),
        ("We: ", one.do),
    ):
        if text:
            yield f"   {title}{_escaped(text)}"
    if one.examples:
        yield f"   Examples: {'; '.join(map(str, one.examples))}."


def _section(section: Section) -> Iterator[str]:
    yield ""
    yield f"## {section.title}"
    yield ""
    yield f"| {' | '.join(heading.lstrip('>') for heading in section.headings)} |"
    yield f"|{'|'.join('---:' if h.startswith('>') else '---' for h in section.headings)}|"
    for row in section.rows:
        yield f"| {' | '.join(_escaped(cell) for cell in row)} |"
    if section.note:
        yield ""
        yield _escaped(section.note)


def _escaped(text: str) -> str:
    """The text with characters that would begin other markup; a code may hold any of them."""
    for mark in ("\\", "|", "*", "_", "<", "`", "["):
        text = text.replace(mark, f"\\{mark}")
    return text
