"""Finds conditions and drugs in a note: from curated tables, from ontologies, and composed of words.

A composed condition is a word like "fracture" with body sites before or after it, or a word with an
ending like "-itis". The longest match is used; of equal lengths the curated one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from simulators.comprehend_medical.coding import linker
from simulators.comprehend_medical.data_files import rows, words
from simulators.comprehend_medical.terms import ontology
from simulators.comprehend_medical.terms.lexicon import Lexicon, conditions, drugs
from simulators.comprehend_medical.text.tokens import Token

MAX_WORDS = 6
MIN_NAME_LETTERS = 5
SIDES = {
    **dict.fromkeys(("left", "l", "lt"), "left"),
    **dict.fromkeys(("right", "r", "rt"), "right"),
    **dict.fromkeys(("bilateral", "bl", "both"), "bilateral"),
}
ACUITY = frozenset(words("acuity.txt"))
QUALITY = frozenset(words("quality.txt"))
_ENDING = re.compile(
    r"[a-z]{3,}(?:itis|[bcdfghjklmnprstvz]osis|emia|aemia|uria|[^m]pathy|algia|[^hp]oma|plegia|paresis|penia|megaly|"
    r"rrhea|rrhoea|rrhage|rrhagia|ectasis|lithiasis|phagia|plasia|pnea|cardia|dynia|phobia|malacia|sclerosis|"
    r"phasia|praxia|kinesia|trophy|itides)"
)
_NO_CONDITION = frozenset(words("no_conditions.txt"))
_ADJECTIVE = re.compile(r"[a-z]{4,}(?:ar|al|ic|ous|ed|ive|ary|oid|ine)")
_BETWEEN = frozenset({"of", "in", "to", "on", "at", "over", "around", "into"})
_SKIPPED = frozenset({"the", "her", "his", "my", "their", "both"})
_DOSE_BEHIND = re.compile(
    r"\s*\d|\s+(?:po|iv|im|sq|sc|daily|bid|tid|qid|tablet|tab|cap)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Mention:
    """A condition or drug that was found: its tokens, its type, and the words to find its codes by.

    `codes` come from the curated tables, for the words in `core`; `kind` is DIAGNOSIS, SIGN or SYMPTOM,
    or the drug's type. `words` are those around it that tell more, `past` whether it is told as history,
    `generic` whether `codes` are those of a mere "fracture" that the note gives a place.
    """

    first: int
    last: int
    about: str
    kind: str
    codes: tuple[str, ...] = ()
    substance: str = ""
    misspelt: bool = False
    words: str = ""
    sides: tuple[str, ...] = ()
    past: bool = False
    core: str = ""
    generic: bool = False


@cache
def sites() -> frozenset[str]:
    """Words for body sites."""
    return frozenset(words("anatomy.txt"))


@cache
def _heads() -> dict[str, tuple[bool, str]]:
    return {row["word"]: (row["alone"] == "yes", row["kind"].upper()) for row in rows("heads.csv")}


def ready() -> None:
    """Loads every table."""
    sites(), _heads(), conditions(), drugs(), ontology.diseases(), ontology.drugs()


def mentions(text: str, found: Sequence[Token]) -> list[Mention]:
    """Returns the conditions and drugs in the order of the text, without overlaps."""
    known: dict[int, list[Mention]] = {}
    for mention in (
        *_curated(text, found, conditions()),
        *_curated(text, found, drugs()),
        *_named(text, found),
        *_composed(text, found),
    ):
        known.setdefault(mention.first, []).append(mention)
    results: list[Mention] = []
    for first in sorted(known):
        # `max` returns the first of equals, and curated mentions are first.
        best = max(known[first], key=lambda mention: mention.last)
        if results and best.first <= results[-1].last:
            if (
                best.last <= results[-1].last
                or results[-1].last - results[-1].first > best.last - best.first
            ):
                continue
            results.pop()
        results.append(best)
    return [_widened(text, found, _informed(mention, known)) for mention in _apart(results)]


def _informed(mention: Mention, known: dict[int, list[Mention]]) -> Mention:
    """A composed mention with the curated codes of its last words, as in "substernal chest pressure"."""
    if mention.codes or mention.about != "condition":
        return mention
    for first in range(mention.first + 1, mention.last):
        for other in known.get(first, ()):
            if other.codes and other.last == mention.last:
                return replace(mention, codes=other.codes, kind=other.kind, core=other.core)
    return mention


def _apart(found: Sequence[Mention]) -> list[Mention]:
    kept: list[Mention] = []
    for mention in found:
        if not kept or mention.first > kept[-1].last:
            kept.append(mention)
    return kept


def _curated(text: str, found: Sequence[Token], lexicon: Lexicon) -> list[Mention]:
    return [
        Mention(
            one.first,
            one.last,
            one.entry.about,
            one.entry.kind,
            one.entry.codes,
            one.entry.substance,
            one.misspelt,
            core=text[found[one.first].begin : found[one.last].end],
        )
        for one in lexicon.occurrences(text, found)
    ]


def _named(text: str, found: Sequence[Token]) -> list[Mention]:
    """Yields the longest ontology match at each word."""
    names, substances = ontology.diseases(), ontology.drugs()
    forms, texts = [token.form for token in found], [token.text.lower() for token in found]
    results = []
    for first, token in enumerate(found):
        if not token.is_word:
            continue
        run = _run(text, found, first)
        for count in range(len(run), 0, -1):
            name = " ".join([forms[place] for place in run[:count]])
            plain = " ".join([texts[place] for place in run[:count]])
            last = run[count - 1]
            if count == 1 and len(name) < MIN_NAME_LETTERS:
                break
            if name in names and (count > 1 or name not in sites()):
                results.append(Mention(first, last, "condition", ""))
                break
            substance = substances.get(plain)
            if substance and _is_drug(text, found, first, last, substance.kind):
                kind = f"{substance.kind.upper()}_NAME"
                results.append(Mention(first, last, "medication", kind, (), substance.substance))
                break
    return results


def _run(text: str, found: Sequence[Token], first: int) -> list[int]:
    """The offsets of up to `MAX_WORDS` words from `first`, separated by blanks or hyphens only."""
    run = [first]
    place = first + 1
    while place < len(found) and len(run) < MAX_WORDS:
        if found[place].text in "-–/":
            place += 1
            continue
        if not found[place].is_word or "\n" in text[found[run[-1]].end : found[place].begin]:
            break
        run.append(place)
        place += 1
    return run


def _is_drug(text: str, found: Sequence[Token], first: int, last: int, kind: str) -> bool:
    """Whether a word may be a brand name: it has a capital letter and does not begin a sentence."""
    if kind == "generic":
        return True
    if _DOSE_BEHIND.match(text, found[last].end):
        return True
    starts = (
        first == 0
        or found[first - 1].text in ".!?:;"
        or "\n" in text[found[first - 1].end : found[first].begin]
    )
    return found[first].text[0].isupper() and not starts


def _composed(text: str, found: Sequence[Token]) -> list[Mention]:
    results = []
    for place, token in enumerate(found):
        if not token.is_word:
            continue
        head = _heads().get(token.form)
        ending = head is None and _ENDING.fullmatch(token.form) and token.form not in _NO_CONDITION
        if head is None and not ending:
            continue
        alone, kind = head or (True, "DIAGNOSIS")
        first, last = _left(text, found, place), _right(text, found, place)
        if alone or first < place or last > place:
            results.append(Mention(first, last, "condition", kind))
    return results


def _left(text: str, found: Sequence[Token], place: int) -> int:
    """The first token of the body site before a condition."""
    first = place
    while first > 0:
        before = first - 1
        if found[before].text == "-" and before > 0:
            before -= 1
        if (
            found[before].form not in sites()
            or "\n" in text[found[before].end : found[first].begin]
        ):
            return first
        first = before
    return first


def _right(text: str, found: Sequence[Token], place: int) -> int:
    """The last token of a body site after a condition, as in "of the left wrist"; else the condition's last."""
    at = place + 1
    if at >= len(found):
        return place
    if found[at].form in _BETWEEN:
        at += 1
    elif found[place].form not in _heads():
        return place
    while at < len(found) and (found[at].form in _SKIPPED or found[at].form in SIDES):
        at += 1
    last = place
    while (
        at < len(found)
        and found[at].form in sites()
        and "\n" not in text[found[at - 1].end : found[at].begin]
    ):
        last = at
        at += 1
    if at < len(found) and found[at].form in _heads() and found[place + 1].form not in _BETWEEN:
        return place  # "swelling, left knee pain": the body site belongs to the next condition.
    return last


def _widened(text: str, found: Sequence[Token], mention: Mention) -> Mention:
    """Returns the mention with its body sites, and with all words for finding its code."""
    if mention.about != "condition":
        return mention
    first, last = mention.first, mention.last
    if found[last].form in _heads():
        first, last = _left(text, found, first), _right(text, found, last)
    elif last + 1 < len(found) and found[last + 1].form in _BETWEEN:
        last = _right(text, found, last)
    begin = first
    sides: list[str] = []
    while begin > 0 and first - begin < 5:
        form = found[begin - 1].form
        if "\n" in text[found[begin - 1].end : found[begin].begin]:
            break
        if form in SIDES:
            sides.append(SIDES[form])
        elif not _tells(form):
            break
        begin -= 1
    end = last
    if last + 1 < len(found) and found[last + 1].form in SIDES:
        sides.append(SIDES[found[last + 1].form])
        end = last + 1
        while end + 1 < len(found) and found[end + 1].form in sites():
            end += 1
    sides += [SIDES[t.form] for t in found[first : last + 1] if t.form in SIDES]
    widened = (first, last) != (mention.first, mention.last)
    generic = mention.first == mention.last and found[mention.first].form in _heads()
    return replace(
        mention,
        first=first,
        last=last,
        generic=widened and generic,
        words=" ".join(token.text for token in found[begin : end + 1] if token.is_word),
        sides=tuple(dict.fromkeys(sides)),
        past=_told_as_history(found, first),
    )


def _tells(form: str) -> bool:
    """Whether a word before a condition specifies it."""
    if form in ACUITY or form in QUALITY or form in sites():
        return True
    return bool(_ADJECTIVE.fullmatch(form)) and linker.knows(form)


def _told_as_history(found: Sequence[Token], first: int) -> bool:
    """Whether "history of" or "h/o" is directly before."""
    before = "".join(token.text.lower() for token in found[max(0, first - 3) : first])
    return before.endswith(("historyof", "hxof", "h/o")) and not before.endswith("familyhistoryof")
