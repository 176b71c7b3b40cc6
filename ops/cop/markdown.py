"""The report as Markdown, with tables as GitHub reads them."""

from collections.abc import Sequence

from ops.cop.report import Block, CopReport, ReportHeading, ReportParagraph
from ops.output import markdown_cell

LINE = "_" * 40


def markdown(report: CopReport) -> str:
    """Returns the document."""
    blocks = "\n\n".join(_block(block) for block in report.blocks)
    signature = _pairs([(label, LINE) for label in report.signature])
    return (
        f"# {report.title}\n\n{_pairs(report.facts)}\n\n{blocks}\n\n## Signature\n\n{signature}\n"
    )


def _pairs(pairs: Sequence[tuple[str, str]]) -> str:
    """Names and values as a table, whose first row is its heading: Markdown has none without."""
    first, *others = [f"| {name} | {markdown_cell(value)} |" for name, value in pairs]
    return "\n".join((first, "|---|---|", *others))


def _block(block: Block) -> str:
    match block:
        case ReportHeading(text):
            return f"## {text}"
        case ReportParagraph(text):
            return text
    rules = ("---:" if n in block.numbers else "---" for n in range(len(block.headings)))
    figures = [
        [_figure(cell) if n in block.numbers else markdown_cell(cell) for n, cell in enumerate(row)]
        for row in block.rows
    ]
    rows = [[markdown_cell(heading) for heading in block.headings], list(rules), *figures]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _figure(text: str) -> str:
    """A number with its unit on one line."""
    return markdown_cell(text).replace(" ", "\u00a0")
