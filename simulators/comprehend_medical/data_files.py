"""Reads the files in data/."""

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path

DATA = Path(__file__).parent / "data"


def lines(name: str) -> Iterator[str]:
    """Yields the lines of a compressed index file."""
    with gzip.open(DATA / name, "rt", encoding="utf-8") as packed:
        for line in packed:
            yield line.rstrip("\n")


def rows(name: str) -> list[dict[str, str]]:
    """Returns the rows of a CSV file, by their column names."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def words(name: str) -> list[str]:
    """Returns the words of a text file."""
    return (DATA / name).read_text(encoding="utf-8").split()
