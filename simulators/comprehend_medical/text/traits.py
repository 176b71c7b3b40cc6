"""Finds the traits of mentions (negated, hypothetical, family history) from cue phrases, as NegEx does.

A cue of cues.csv stands before or behind the mention that it is about, in the same sentence. Its sides:

    before    up to a word that turns the sentence ("but", "has"), over lists: "denies pain, fever or cough"
    adjacent  the next few words, not over a comma: "not", "ruled out"
    touching  right before, like the question mark of "?PE"
    after     within the next few words behind: "PE was ruled out"
    next      the very next word behind: "DVT prophylaxis"
    ignore    no cue, though it holds one: "no change in"

`{relative}` in a phrase stands for each word of relatives.txt. Signs are cues too ("-fever", "Fever: no"),
and so are headings (sections.py).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from simulators.comprehend_medical.data_files import rows, words
from simulators.comprehend_medical.text.sections import traits_at
from simulators.comprehend_medical.text.tokens import Token, tokens

REACH = 7
"""Maximum words between a cue, or the last item of its list, and the next item that it applies to."""

NEAR = 4
"""Maximum words between an `adjacent` or `after` cue and its mention."""

MAX_LIST_SPANS = 40
"""Maximum mentions of one cue; a review of systems has about thirty."""

TURNS = frozenset(words("turns.txt"))
"""Words that end the scope of a cue."""

DENIALS = frozenset({"no", "none", "denies", "denied", "negative", "neg", "absent", "nil", "n"})
"""Words that negate the term before a colon or a dash."""


@dataclass(frozen=True, slots=True)
class Cue:
    """The trait of a phrase of cues.csv, and the mentions that it applies to (`about`: condition, medication, both)."""

    trait: str
    side: str
    about: str


@dataclass(frozen=True, slots=True)
class Span:
    """A mention: its tokens, its sentence, and whether it is a condition or a medication."""

    first: int
    last: int
    about: str


def traits_of(
    text: str, found: Sequence[Token], sentence_of: Sequence[int], spans: Sequence[Span]
) -> list[set[str]]:
    """Returns the traits of each span from the cues around it. Spans are in the order of the text."""
    headed = traits_at(text)
    results = [
        {trait for trait, about in headed(found[span.first].begin) if about in ("both", span.about)}
        for span in spans
    ]
    covered = {place for span in spans for place in range(span.first, span.last + 1)}
    reach_of = _Reach(found, sentence_of, spans).indexes
    for begin, end, cues in _cues_in(found, covered):
        for cue in cues:
            for index in reach_of(cue, begin, end):
                if cue.about in ("both", spans[index].about):
                    results[index].add(cue.trait)
    for index, span in enumerate(spans):
        if span.about == "condition" and _signed(text, found, sentence_of, span):
            results[index].add("NEGATION")
    return results


def _signed(text: str, found: Sequence[Token], sentence_of: Sequence[int], span: Span) -> bool:
    """Whether a sign negates it: the minus in "+cough, -fever", the "no" in "Fever: no."."""
    before, behind = span.first - 1, span.last + 1
    if before >= 0 and found[before].text == "-":
        blank = found[before].begin == 0 or text[found[before].begin - 1] in " \t(,;"
        at_start = before == 0 or sentence_of[before - 1] != sentence_of[before]
        if blank and found[before].end == found[span.first].begin:
            # At the start of a line it is the dash of a list, unless a plus is beside it.
            same = [t for t, n in zip(found, sentence_of, strict=True) if n == sentence_of[before]]
            if not at_start or any(token.text == "+" for token in same):
                return True
    if behind + 1 >= len(found) or found[behind].text not in (":", "-", "="):
        return False
    if found[behind + 1].text.lower() not in DENIALS:
        return False
    last = behind + 2 >= len(found) or sentence_of[behind + 2] != sentence_of[behind + 1]
    return last or not found[behind + 2].is_word


@dataclass(frozen=True, slots=True)
class _Reach:
    """The spans to which a cue applies."""

    found: Sequence[Token]
    sentence_of: Sequence[int]
    spans: Sequence[Span]

    def indexes(self, cue: Cue, begin: int, end: int) -> list[int]:
        """Returns the indexes of the spans to which a cue at the tokens `begin` to `end` applies."""
        if cue.side in ("after", "next"):
            return self._before(begin, 0 if cue.side == "next" else NEAR)
        if cue.side == "touching":
            return self._behind(end, 0, commas=False)
        if cue.side == "adjacent":
            return self._behind(end, NEAR, commas=False)
        return self._behind(end, REACH, commas=True)

    def _before(self, begin: int, reach: int) -> list[int]:
        """The nearest span before the token `begin`, if it is within the limit."""
        index = bisect_left(self.spans, begin, key=lambda span: span.last) - 1
        if index < 0 or self.sentence_of[self.spans[index].last] != self.sentence_of[begin]:
            return []
        near = self._clear(self.spans[index].last, begin, reach, commas=False)
        return [index] if near else []

    def _behind(self, end: int, reach: int, commas: bool) -> list[int]:
        """The spans after the token `end`, each within the limit from the one before it."""
        first = bisect_right(self.spans, end, key=lambda span: span.first)
        reached = end
        for index in range(first, min(first + MAX_LIST_SPANS, len(self.spans))):
            span = self.spans[index]
            same_sentence = self.sentence_of[span.first] == self.sentence_of[end]
            if not same_sentence or not self._clear(reached, span.first, reach, commas):
                return list(range(first, index))
            reached = span.last
        return list(range(first, min(first + MAX_LIST_SPANS, len(self.spans))))

    def _clear(self, left: int, right: int, reach: int, commas: bool) -> bool:
        """Whether at most so many words, and none that ends a cue's scope, are between two tokens."""
        between = self.found[left + 1 : right]
        if sum(token.is_word for token in between) > reach:
            return False
        if any(token.text.lower() in TURNS for token in between):
            return False
        return commas or not any(token.text in ",:" for token in between)


def _cues_in(found: Sequence[Token], covered: set[int]) -> list[tuple[int, int, tuple[Cue, ...]]]:
    """Yields first token, last token and cues of each phrase found.

    Of two overlapping phrases the longer is used: "is negative for", not "is negative".
    """
    places: list[tuple[int, int, tuple[Cue, ...]]] = []
    plain = [_plain(token) for token in found]
    for index in range(len(found)):
        if index in covered:
            continue
        end, cues = _longest(plain, index)
        if end < index or (places and end <= places[-1][1]):
            continue
        if places and index <= places[-1][1]:
            places.pop()
        places.append((index, end, cues))
    return places


def _longest(plain: Sequence[str], index: int) -> tuple[int, tuple[Cue, ...]]:
    phrases, lengths = _cues()
    for length in lengths.get(plain[index], ()):
        forms = tuple(plain[index : index + length])
        cues = phrases.get(forms)
        if cues is not None:
            return index + len(forms) - 1, tuple(cue for cue in cues if cue.side != "ignore")
    return index - 1, ()


def _plain(token: Token) -> str:
    return token.text.lower().replace("’", "'")


Phrases = dict[tuple[str, ...], list[Cue]]


@cache
def _cues() -> tuple[Phrases, dict[str, list[int]]]:
    """Returns the cues of each phrase, and the lengths of the phrases by their first word, longest first."""
    phrases: Phrases = {}
    for row in rows("cues.csv"):
        for phrase in _spelt_out(row["phrase"]):
            forms = tuple(_plain(token) for token in tokens(phrase))
            cue = Cue(row["trait"], row["side"], row["about"])
            phrases.setdefault(forms, []).append(cue)
    lengths: dict[str, list[int]] = {}
    for forms in sorted(phrases, key=len, reverse=True):
        known = lengths.setdefault(forms[0], [])
        if len(forms) not in known:
            known.append(len(forms))
    return phrases, lengths


def _spelt_out(phrase: str) -> list[str]:
    if "{relative}" not in phrase:
        return [phrase]
    return [phrase.replace("{relative}", relative) for relative in words("relatives.txt")]
