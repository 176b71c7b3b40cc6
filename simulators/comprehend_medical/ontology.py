"""The index that `build_index` writes: ICD-10-CM, disease names, drug names."""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from simulators.comprehend_medical.tokens import form

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class Substance:
    """What a name of the drug list stands for: `brand` or `generic`, and the substance."""

    kind: str
    substance: str


def lines(name: str) -> Iterator[str]:
    """The lines of a packed index file."""
    with gzip.open(DATA / name, "rt", encoding="utf-8") as packed:
        for line in packed:
            yield line.rstrip("\n")


def words(name: str) -> list[str]:
    """The words of a plain list among the data."""
    return (DATA / name).read_text(encoding="utf-8").split()


@cache
def codes() -> dict[str, tuple[str, str]]:
    """Billable ICD-10-CM code -> its description, and its names in compared form ("|" between)."""
    found = {}
    for line in lines("icd10cm.tsv.gz"):
        code, description, names = line.split("\t")
        found[code] = (description, names)
    return found


@cache
def description_codes() -> dict[str, str]:
    """A description in lower case -> its code."""
    return {description.lower(): code for code, (description, _) in codes().items()}


@cache
def diseases() -> frozenset[str]:
    """Names of diseases in compared form, general words left out."""
    return frozenset(lines("diseases.txt.gz")) - frozenset(map(form, words("general_words.txt")))


@cache
def drugs() -> dict[str, Substance]:
    """Names of drugs in lower case."""
    found = {}
    for line in lines("drugs.tsv.gz"):
        name, kind, substance = line.split("\t")
        found[name] = Substance(kind, substance)
    return found
