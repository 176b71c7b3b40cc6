"""The report as Markdown, with tables as GitHub reads them. Its form is report.md.jinja."""

from pathlib import Path

from ops.cop.report import CopReport, ReportHeading
from ops.output import markdown_cell
from ops.templates import filled

LINE = "_" * 40


def markdown(report: CopReport) -> str:
    """Returns the document."""
    return filled(
        Path(__file__).with_name("report.md.jinja"),
        {"cell": markdown_cell},
        report=report,
        headings=[isinstance(one, ReportHeading) for one in report.blocks],
        signature=[(label, LINE) for label in report.signature],
    )
