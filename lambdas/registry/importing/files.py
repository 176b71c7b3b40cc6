"""Rows of a CSV or NDJSON file with the line on which each stood."""

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path

from lambdas.registry.importing.columns import FILES, InvalidRegistryError, Row


@dataclass(frozen=True, slots=True)
class Table:
    """A file's rows. `name` is the file's, `lines` the number of each row's last line, from 1."""

    name: str
    rows: list[Row] = field(repr=False)
    lines: list[int] = field(repr=False)


def read_folder(folder: Path) -> dict[str, Table]:
    """The registry files of a folder, by the name `<table>.csv`; each may be NDJSON (`<table>.ndjson`).

    Raises `InvalidRegistryError` when the folder has none of them, or as `read_file` does.
    """
    found = {}
    for name in FILES:
        file = next(
            (f for f in (folder / name, (folder / name).with_suffix(".ndjson")) if f.is_file()),
            None,
        )
        if file:
            found[name] = read_file(file)
    if not found:
        raise InvalidRegistryError([f"the folder has none of {', '.join(FILES)} (or .ndjson)"])
    return found


def read_file(file: Path) -> Table:
    """The rows of one file, UTF-8: CSV whose first line names the columns, or an object a line.

    Raises `InvalidRegistryError` for a file that is not UTF-8 or not valid CSV, and for each line that is
    no object of texts.
    """
    try:
        return _ndjson(file) if file.suffix == ".ndjson" else _csv(file)
    except UnicodeDecodeError:
        raise InvalidRegistryError([f"{file.name}: is not UTF-8"]) from None


def _csv(file: Path) -> Table:
    rows, lines = [], []
    with file.open(encoding="utf-8-sig", newline="") as text:
        # Strict: a quote that is never closed would make one cell of all that follows.
        reader = csv.DictReader(text, strict=True)
        try:
            columns = reader.fieldnames or []
            if len(set(columns)) < len(columns):
                raise InvalidRegistryError([f"{file.name} line 1: names a column twice"])
            for row in reader:
                rows.append(row)
                lines.append(reader.line_num)
        except csv.Error:
            # `line_num` is the last line of the row before.
            raise InvalidRegistryError(
                [f"{file.name} line {reader.line_num + 1}: is not valid CSV (RFC 4180)"]
            ) from None
    return Table(file.name, rows, lines)


def _ndjson(file: Path) -> Table:
    rows, lines, faults = [], [], []
    with file.open(encoding="utf-8-sig") as text:
        for number, line in enumerate(text, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError:
                row = None
            if isinstance(row, dict) and all(isinstance(value, str) for value in row.values()):
                rows.append(row)
                lines.append(number)
            else:
                faults.append(f"{file.name} line {number}: is no JSON object of texts")
    if faults:
        raise InvalidRegistryError(faults)
    return Table(file.name, rows, lines)
