"""Writes a report as Markdown, to be sent to a hospital's interface team. Its form is report.md.jinja."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ops.feed.report.report import FeedReport
from ops.feed.report.sections import sections, summary
from ops.output import sentence_case


def markdown(report: FeedReport) -> str:
    """The report as Markdown (CommonMark with tables)."""
    templates = Environment(  # noqa: S701  # Markdown, which `_escaped` escapes
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters.update(escaped=_escaped, sentence_case=sentence_case)
    return templates.get_template("report.md.jinja").render(
        report=report, summary=summary(report), sections=sections(report)
    )


def _escaped(text: str) -> str:
    """The text with characters that would begin other markup; a code may hold any of them."""
    for mark in ("\\", "|", "*", "_", "<", "`", "["):
        text = text.replace(mark, f"\\{mark}")
    return text
