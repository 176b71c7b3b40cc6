"""Finds tests with values, procedures, treatments, times and habits in a note, by tables and patterns."""

import re
from dataclasses import dataclass
from functools import cache

from simulators.comprehend_medical.data_files import rows

_VALUE = re.compile(
    r"\s*(?:of|was|is|at|=|:|to|rose to|level)?\s*"
    r"(?P<value>[<>]?\d+(?:[./]\d+)*(?:\s*-\s*\d+(?:\.\d+)?)?|negative\b|positive\b|normal\b|elevated\b|pending\b|[1-4]\+)"
    r"(?:\s?(?P<unit>%|mg/dL|g/dL|ng/mL|pg/mL|mmol/L|mEq/L|mmHg|U/L|IU/L|bpm|kg|lbs?|cm|mm|°?[CF]\b|[Ll]iters?|mL|K/uL|sec))?",
    re.IGNORECASE,
)
_MONTH = r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
_UNIT = r"(?:minutes?|mins?|hours?|hrs?|days?|weeks?|wks?|months?|mos?|years?|yrs?)"
_NUMBER = r"(?:\d+(?:-\d+)?|one|two|three|four|five|six|seven|several|a few|few|couple of)"
_TIME = re.compile(
    rf"\b(?:(?:for |over |x ?|past |last |the past |the last )?{_NUMBER}[ -]{_UNIT}(?: (?:ago|prior|earlier|later|after|before))?(?! (?:old|y/?o))|"
    r"yesterday|today|tonight|this (?:morning|afternoon|evening|shift|week)|last (?:night|week|month|year|spring|summer|fall|winter)|"
    r"overnight|since (?:noon|yesterday|last night|this morning)|in (?:19|20)\d\d|next (?:week|month)|in AM)\b",
    re.IGNORECASE,
)
_HABITS = {
    "TOBACCO_USE": re.compile(
        r"\b(?:(?:non|never|ex|former|current)[ -]?smoker|smok(?:es|ed|er|ing)|tobacco(?: use)?|\d+ pack[- ]years?|ppd)\b",
        re.IGNORECASE,
    ),
    "ALCOHOL_CONSUMPTION": re.compile(
        r"\b(?:drinks? (?:\w+ ){0,2}(?:beers?|wine|alcohol|daily|socially)|social drinker|alcohol use|etoh use)\b",
        re.IGNORECASE,
    ),
    "REC_DRUG_USE": re.compile(
        r"\b(?:IV drug use[rs]?|IVDU|drug use|marijuana|cannabis|cocaine|heroin|methamphetamine|illicit drugs?)\b",
        re.IGNORECASE,
    ),
    "GENDER": re.compile(r"\b(?:male|female|man|woman|boy|girl)\b", re.IGNORECASE),
    "RACE_ETHNICITY": re.compile(
        r"\b(?:caucasian|african[ -]american|hispanic|latin[oa]|asian)\b", re.IGNORECASE
    ),
}
_DATE_TIME = re.compile(
    rf"\b\d{{1,2}}/\d{{1,2}}(?:/\d{{2,4}})?\b|\b{_MONTH}\.? \d{{1,2}}(?:, ?\d{{4}})?\b|\b(?:19|20)\d\d-\d\d-\d\d\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Extra:
    """An entity of a category and type between two offsets, with value and unit if it is a test."""

    category: str
    type: str
    begin: int
    end: int
    value: tuple[int, int] | None = None
    unit: tuple[int, int] | None = None


def extras(text: str) -> list[Extra]:
    """Returns these entities in the order of the text. They may overlap conditions."""
    found: list[Extra] = []
    for match in _table().finditer(text):
        kind = _kinds()[" ".join(match[0].lower().split())]
        value = _VALUE.match(text, match.end()) if kind == "TEST_NAME" else None
        if len(match[0]) == 1 and not (value and value["value"][0].isdigit()):
            continue  # "K" alone is a letter, "K 7.1" a potassium.
        found.append(
            Extra(
                "TEST_TREATMENT_PROCEDURE",
                kind,
                *match.span(),
                value.span("value") if value else None,
                value.span("unit") if value and value["unit"] else None,
            )
        )
    found += [
        Extra("TIME_EXPRESSION", "TIME_TO_DX_NAME", *match.span()) for match in _TIME.finditer(text)
    ]
    for kind, pattern in _HABITS.items():
        found += [
            Extra("BEHAVIORAL_ENVIRONMENTAL_SOCIAL", kind, *match.span())
            for match in pattern.finditer(text)
        ]
    return sorted(found, key=lambda extra: (extra.begin, -extra.end))


def dates(text: str) -> list[tuple[int, int]]:
    """Returns the offsets of dates."""
    return [match.span() for match in _DATE_TIME.finditer(text)]


@cache
def _kinds() -> dict[str, str]:
    return {
        name.lower(): row["type"] for row in rows("tests.csv") for name in row["names"].split("|")
    }


@cache
def _table() -> re.Pattern[str]:
    """A pattern of all names: abbreviations with exact case, words with any case."""
    names = [name for row in rows("tests.csv") for name in row["names"].split("|")]
    names.sort(key=len, reverse=True)
    parts = [
        re.escape(name) if name != name.lower() else f"(?i:{re.escape(name)})" for name in names
    ]
    return re.compile(rf"(?<![\w/-])(?:{'|'.join(parts)})(?![\w])")
