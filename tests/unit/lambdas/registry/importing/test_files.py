"""The registrar's files are read whole, or refused."""

from pathlib import Path

import pytest

from lambdas.registry.importing.columns import InvalidRegistryError
from lambdas.registry.importing.files import read_file


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('authority,value\nNORTHGEN,"H00412\nNORTHGEN,H00533\n', "line 2: is not valid CSV"),
        ('authority,value\nNORTHGEN,"H00412"3\n', "line 2: is not valid CSV"),
        ("authority,value,value\nNORTHGEN,H00412,H00533\n", "line 1: names a column twice"),
    ],
)
def test_a_file_that_can_be_read_in_two_ways_is_refused(
    tmp_path: Path, text: str, fault: str
) -> None:
    file = tmp_path / "panel.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidRegistryError, match=f"panel.csv {fault}"):
        read_file(file)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_a_byte_order_mark_and_quotes_of_a_spreadsheet_are_read(
    tmp_path: Path, end: str
) -> None:
    file = tmp_path / "patients.csv"
    text = end.join(("\ufeffpatient_id,family", 'p1,"O""Neil, Jr"', "", ""))
    file.write_bytes(text.encode())
    found = read_file(file)
    assert (found.rows, found.lines) == ([{"patient_id": "p1", "family": 'O"Neil, Jr'}], [2])
