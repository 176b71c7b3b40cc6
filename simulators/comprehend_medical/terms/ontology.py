"""Reads the index that `build_index` writes: ICD-10-CM, disease names, drug names."""

from dataclasses import dataclass
from functools import cache

from simulators.comprehend_medical.data_files import lines, words
from simulators.comprehend_medical.text.tokens import form


@dataclass(frozen=True, slots=True)
class Substance:
    """A name in the drug list: `brand` or `generic`, and its substance."""

    kind: str
    substance: str


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
    """Returns the names of diseases in compared form, without general words."""
    return frozenset(lines("diseases.txt.gz")) - frozenset(map(form, words("general_words.txt")))


@cache
def drugs() -> dict[str, Substance]:
    """Returns the names of drugs in lower case."""
    found = {}
    for line in lines("drugs.tsv.gz"):
        name, kind, substance = line.split("\t")
        found[name] = Substance(kind, substance)
    return found
