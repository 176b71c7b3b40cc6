"""The output of durations, codes and bars."""

import csv
import io
import json

import pytest
from markdown_it import MarkdownIt

from local.console.views import bars, code_spans
from ops.output import (
    console,
    count,
    duration,
    markdown_cell,
    print_json,
    sentence_case,
    table,
    words,
    write_csv,
)
from tests.support.console import step


@pytest.mark.parametrize(
    ("milliseconds", "read"),
    [
        (None, "–"),
        (0, "0 ms"),
        (999, "999 ms"),
        (1000, "1.0 s"),
        (59_940, "59.9 s"),
        (125_000, "2 min 5 s"),
        (3_600_000, "1 h 0 min"),
        (260_000_000, "3 days"),
    ],
)
def test_durations_read_as_people_say_them(milliseconds: int | None, read: str) -> None:
    assert duration(milliseconds) == read


def test_no_cell_of_a_csv_is_a_formula_for_a_spreadsheet() -> None:
    out = io.StringIO()
    risky = [f"{first}1" for first in "=+-@\t\r\n\0"]  # OWASP ASVS 5.0, 1.2.10, and "CSV Injection"
    write_csv(("error",), [[cell] for cell in (*risky, "plain, text")], out)
    cells = [cell for (cell,) in csv.reader(io.StringIO(out.getvalue(), newline=""))][1:]
    assert cells == [*(f"'{cell}" for cell in risky), "plain, text"]


def test_json_is_read_back_as_it_was_and_holds_no_code_that_a_terminal_obeys(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stored = {"error": "\x1b[2K \x9b2K \u202e \U000e0001 \N{LATIN SMALL LETTER E WITH ACUTE}"}
    print_json(stored)
    written = capsys.readouterr().out
    assert json.loads(written) == stored
    assert all(line.isprintable() for line in written.splitlines())
    assert "\N{LATIN SMALL LETTER E WITH ACUTE}" in written


def test_codes_become_words_and_numbers_agree_with_their_things() -> None:
    assert sentence_case(words("ed_discharge")) == "ED discharge"
    assert sentence_case(words("no_recipient")) == "No recipient"
    assert (count(1, "entry", "entries"), count(2, "entry", "entries")) == ("1 entry", "2 entries")


def test_a_row_is_never_cut_and_its_key_stays_on_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    event_id, mail_id = "e0" * 16, "M" * 60
    shown = table("Event", "At UTC", "Looked at", "Reason")
    shown.add_row(event_id, "11-23 09:15", mail_id, "a complaint of the family, INC-4711")
    console().print(shown)

    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert sum(line.startswith(event_id) for line in lines) == 1
    assert "".join(lines).count("M") == len(mail_id)
    assert "…" not in "".join(lines)


def test_a_row_is_not_squeezed_into_the_columns_of_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    shown = table("Event", "At UTC", "Status")
    shown.add_row("e0" * 16, "11-23 09:15", "FAILED IdentityNotFoundError")
    console().print(shown)
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_each_run_is_drawn_on_its_own_scale_and_every_bar_can_be_seen() -> None:
    drawn = bars(
        [
            step("Queue", 0, 30, run=0),
            step("ParseMessage", 30, 50),
            step("LookupIdentities", 80, 0),
            step("ExtractEntities", 80, 50),
            step("ParseMessage", 3_600_000, 40, run=2),
        ]
    )
    assert [(bar.left, bar.width) for bar in drawn] == [
        (0, 0),
        (0, 500),
        (500, 8),
        (500, 500),
        (0, 1000),
    ]
    assert [bar.opens_run for bar in drawn] == [False, True, False, False, True]


def test_commands_in_a_sentence_are_set_as_code_and_nothing_else_is_markup() -> None:
    assert code_spans("<b> then `ens dlq <x>`.") == (
        "&lt;b&gt; then <code>ens dlq &lt;x&gt;</code>."
    )


@pytest.mark.parametrize("text", ["a | b", "a \\| b", "ends in \\", "| *a* |", "two\nlines"])
def test_a_text_fills_one_cell_of_a_markdown_table(text: str) -> None:
    """Read by another implementation of GFM's tables."""
    reader = MarkdownIt("commonmark").enable("table")
    tokens = reader.parse(f"| a | b |\n|---|---|\n| {markdown_cell(text)} | end |\n")
    body = tokens[[one.type for one in tokens].index("tbody_open") :]
    cells = [
        "".join(part.content for part in one.children or ()) for one in body if one.type == "inline"
    ]
    assert cells == [text.replace("\n", " ").replace("*", ""), "end"]
