"""The simulator's lexicons of conditions and drugs, and their search in a note."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from simulators.comprehend_medical.data_files import rows
from simulators.comprehend_medical.text.spelling import MIN_LETTERS, Misspellings
from simulators.comprehend_medical.text.tokens import Token, tokens

AROUND = 40
"""Characters before and after an occurrence that an entry's `unless` pattern sees."""

MIN_DRUG_LETTERS = 6
"""Minimum letters of a drug's name that may be misspelt if a dose follows."""

DOSED = re.compile(
    r"\s*(?:\d|gtt|drip|iv\b|po\b|im\b|sq\b|sl\b|neb|inhaler|tab|cap|daily|bid|tid|qhs)",
    re.IGNORECASE,
)
"""The pattern of a dose after a drug's name."""

_UNLESS_DOSED = re.compile(rf"<>(?!{DOSED.pattern})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of conditions.csv or drugs.csv.

    A condition has ICD-10-CM codes, best first, and the kind DIAGNOSIS, SIGN or SYMPTOM; a medication has
    its substance and the kind GENERIC_NAME or BRAND_NAME.
    """

    about: str
    kind: str
    codes: tuple[str, ...] = ()
    substance: str = ""
    unless: re.Pattern[str] | None = None


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An entry found in a note: the tokens `first` to `last`, and whether by a corrected spelling."""

    first: int
    last: int
    entry: Entry
    misspelt: bool = False


@dataclass(frozen=True, slots=True)
class _Term:
    """A spelling of an entry. One with a capital letter is an abbreviation and is matched with its case."""

    forms: tuple[str, ...]
    exact: tuple[str, ...] | None
    entry: Entry


class Lexicon:
    """Terms by their first word. The longest match is used."""

    def __init__(self, entries: Iterable[tuple[str, Entry, bool]], drugs: bool = False) -> None:
        """Reads (term, entry, whether case matters). Drugs allow more spelling errors than conditions."""
        self._terms: dict[str, list[_Term]] = {}
        for term, entry, sensitive in entries:
            words = [token for token in tokens(term) if token.is_word]
            forms = tuple(word.form for word in words)
            exact = tuple(word.text for word in words) if sensitive else None
            self._terms.setdefault(forms[0], []).append(_Term(forms, exact, entry))
        for terms in self._terms.values():
            terms.sort(key=lambda known: -len(known.forms))
        single = [
            word for word, terms in self._terms.items() if any(len(t.forms) == 1 for t in terms)
        ]
        self.misspellings = Misspellings(
            single, MIN_DRUG_LETTERS if drugs else MIN_LETTERS, twice=drugs
        )

    def occurrences(self, text: str, found: Sequence[Token]) -> list[Occurrence]:
        """Returns the entries in the text from left to right, without overlaps.

        A one-word entry with one wrong letter is found too.
        """
        results: list[Occurrence] = []
        index = 0
        while index < len(found):
            occurrence = self._at(text, found, index)
            if occurrence:
                results.append(occurrence)
                index = occurrence.last
            index += 1
        return results

    def _at(self, text: str, found: Sequence[Token], index: int) -> Occurrence | None:
        word = found[index].form
        for term in self._terms.get(word, ()):
            last = _fits(text, found, index, term)
            if last is not None and not _refused(text, found[index].begin, found[last].end, term):
                return Occurrence(index, last, term.entry)
        dosed = bool(DOSED.match(text, found[index].end))
        meant = None if word in self._terms else self.misspellings.meant(word, dosed)
        if meant and (len(word) >= MIN_LETTERS or dosed):
            entry = next(t.entry for t in self._terms[meant] if len(t.forms) == 1)
            return Occurrence(index, index, entry, misspelt=True)
        return None


def _fits(text: str, found: Sequence[Token], index: int, term: _Term) -> int | None:
    """Returns the index of the term's last token if the term begins at `index`, else None.

    Its words may be separated by blanks, one line break, a hyphen or a slash.
    """
    place = index
    for number, wanted in enumerate(term.forms):
        if number:
            place += 1
            if place < len(found) and found[place].text in "-–/.&+":
                place += 1
        if place >= len(found) or found[place].form != wanted:
            return None
        if term.exact and found[place].text != term.exact[number]:
            return None
        if number and text[found[place - 1].end : found[place].begin].count("\n") > 1:
            return None
    return place


def _refused(text: str, begin: int, end: int, term: _Term) -> bool:
    pattern = term.entry.unless
    if pattern is None:
        return False
    around = f"{text[max(0, begin - AROUND) : begin]}<>{text[end : end + AROUND]}"
    return bool(pattern.search(around))


@cache
def conditions() -> Lexicon:
    """Returns the lexicon of conditions.csv."""
    terms: list[tuple[str, Entry, bool]] = []
    for row in rows("conditions.csv"):
        unless = re.compile(row["unless"]) if row["unless"] else None
        codes = tuple(row["codes"].split())
        entry = Entry("condition", row["kind"].upper(), codes, unless=unless)
        terms += [(term, entry, term != term.lower()) for term in row["terms"].split("|")]
    return Lexicon(terms)


@cache
def drugs() -> Lexicon:
    """Returns the lexicon of drugs.csv. Case is ignored; `dosed` names need a dose after them."""
    terms: list[tuple[str, Entry, bool]] = []
    for row in rows("drugs.csv"):
        unless = _UNLESS_DOSED if row["dosed"] else None
        kind = f"{row['type'].upper()}_NAME"
        drug = Entry("medication", kind, substance=row["generic"], unless=unless)
        terms.append((row["name"], drug, False))
    return Lexicon(terms, drugs=True)
