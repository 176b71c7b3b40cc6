"""The Markdown report: tables with as many cells as headings, whatever the codes hold."""

from pathlib import Path

from environments import load
from ops.feed.checking.check import new_check
from ops.feed.reading.files import feed_files
from ops.feed.report.markdown import markdown
from ops.feed.report.report import report_of
from tests.support.feeds import week


def test_each_row_has_the_cells_of_its_table(tmp_path: Path) -> None:
    for number, one in enumerate(week(60)):
        (tmp_path / f"{number}.hl7").write_bytes(one.replace(b"||1777777776", b"||17|77"))
    check = new_check(load("local"), "west", None)
    for file in feed_files((tmp_path,)):
        check.read(file)
    text = markdown(report_of(check))
    tables = [part for part in text.split("\n\n") if part.startswith("| ")]
    assert len(tables) >= 4
    for table in tables:
        assert len({line.replace("\\|", "").count("|") for line in table.splitlines()}) == 1
    assert text.count("```") == 2
