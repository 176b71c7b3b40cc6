"""Writes a report as Markdown, to be sent to a hospital's interface team. Its form is report.md.jinja."""

from pathlib import Path

from ops.feed.report.report import FeedReport
from ops.feed.report.sections import sections, summary
from ops.output import sentence_case
from ops.templates import filled


def markdown(report: FeedReport) -> str:
    """The report as Markdown (CommonMark with tables)."""
    return filled(
        Path(__file__).with_name("report.md.jinja"),
        {"escaped": _escaped, "sentence_case": sentence_case},
        report=report,
        summary=summary(report),
        sections=sections(report),
    )


def _escaped(text: str) -> str:
    """The text with characters that would begin other markup; a code may hold any of them."""
    for mark in ("\\", "|", "*", "_", "<", "`", "["):
        text = text.replace(mark, f"\\{mark}")
    return text
