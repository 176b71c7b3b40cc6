"""The sensitive category of a diagnosis code, and of words. Pure.

The groups are those of ICD-10-CM, edition 2026 (https://www.cdc.gov/nchs/icd/icd-10-cm/), whose categories
ICD-10-CA shares. Tobacco is no substance use: 42 CFR 2.11, "substance use disorder". A word marks also
where it is negated: that only makes a notification say less.
"""

import re
import tomllib
from pathlib import Path

from lambdas.common.contracts.recipients.consent import Sensitivity

_CATEGORIES = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))

ICD_10_GROUPS = {Sensitivity(name): tuple(one["icd_10"]) for name, one in _CATEGORIES.items()}
"""Beginnings of codes, compared without the point."""

WORDS = {
    Sensitivity(name): re.compile(rf"(?<![^\W_])(?:{'|'.join(one['words'])})", re.IGNORECASE)
    for name, one in _CATEGORIES.items()
}
"""Beginnings of words that name a category."""

_ICD_10 = re.compile(r"[A-Z]\d[0-9A-Z](?:\.?[0-9A-Z]{1,4})?")


def categories_of_code(code: str) -> frozenset[Sensitivity]:
    """The categories of an ICD-10 code, with or without its point; none for a code of another form."""
    written = code.strip().upper()
    if not _ICD_10.fullmatch(written):
        return frozenset()
    plain = written.replace(".", "")
    return frozenset(
        category
        for category, beginnings in ICD_10_GROUPS.items()
        if plain.startswith(tuple(one.replace(".", "") for one in beginnings))
    )


def categories_of_words(text: str) -> frozenset[Sensitivity]:
    """The categories that a text names."""
    return frozenset(category for category, words in WORDS.items() if words.search(text))
