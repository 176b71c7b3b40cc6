"""The report as Markdown, with tables as GitHub reads them."""

from ops.cop.report import Block, CopReport, ReportHeading, ReportParagraph

LINE = "_" * 40


def markdown(report: CopReport) -> str:
    """Returns the document."""
    facts = "\n".join(f"| {name} | {_cell(value)} |" for name, value in report.facts)
    lines = "\n".join(f"| {label} | {LINE} |" for label in report.signature)
    blocks = "\n\n".join(_block(block) for block in report.blocks)
    return (
        f"# {report.title}\n\n| | |\n|---|---|\n{facts}\n\n{blocks}\n\n"
        f"## Signature\n\n| | |\n|---|---|\n{lines}\n"
    )


def _block(block: Block) -> str:
    match block:
        case ReportHeading(text):
            return f"## {text}"
        case ReportParagraph(text):
            return text
    rules = ("---:" if n in block.numbers else "---" for n in range(len(block.headings)))
    rows = [block.headings, tuple(rules), *block.rows]
    return "\n".join(f"| {' | '.join(map(_cell, row))} |" for row in rows)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
