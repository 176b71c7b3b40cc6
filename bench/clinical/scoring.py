"""Compares found with annotated spans: they match if they overlap, one to one. Codes are compared as text."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Span = tuple[int, int]


@dataclass(slots=True)
class Tally:
    """True positives, false positives, false negatives."""

    hits: int = 0
    wrong: int = 0
    missed: int = 0

    def precision(self) -> float:
        """Share of hits among the found (precision); 1.0 when nothing was found or annotated."""
        return self.hits / (self.hits + self.wrong) if self.hits + self.wrong else 1.0

    def recall(self) -> float:
        """Share of hits among the annotated (recall)."""
        return self.hits / (self.hits + self.missed) if self.hits + self.missed else 1.0

    def f1(self) -> float:
        """Harmonic mean of precision and recall (F1)."""
        total = 2 * self.hits + self.wrong + self.missed
        return 2 * self.hits / total if total else 1.0


@dataclass(frozen=True, slots=True)
class Annotated:
    """An annotation: offsets, code, and whether it is negated."""

    text: str
    span: Span
    code: str = ""
    negated: bool = False


@dataclass(frozen=True, slots=True)
class AnnotatedNote:
    """A note and its annotations."""

    name: str
    text: str
    conditions: tuple[Annotated, ...]
    medications: tuple[Annotated, ...]


@dataclass(slots=True)
class Scores:
    """Everything counted over a set of notes."""

    conditions: Tally = field(default_factory=Tally)
    medications: Tally = field(default_factory=Tally)
    negation: Tally = field(default_factory=Tally)
    codes: list[tuple[str, str, list[str]]] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)


def notes(folder: Path) -> list[AnnotatedNote]:
    """The notes of a folder's JSON files, in the format of held_out/README.md."""
    return [_note(file) for file in sorted(folder.glob("*.json"))]


def phrases(file: Path) -> list[tuple[str, str]]:
    """Phrases with their codes; none where the file does not exist."""
    if not file.exists():
        return []
    with file.open(encoding="utf-8", newline="") as rows:
        return [(row["phrase"], row["code"]) for row in csv.DictReader(rows)]


def _note(file: Path) -> AnnotatedNote:
    document = json.loads(file.read_text(encoding="utf-8"))
    text = document["text"]
    denied = {_text(item) for item in document.get("negated", ())}
    conditions = _placed(text, document.get("conditions", ()), negated=False)
    places = {annotated.span for annotated in conditions}
    conditions = [
        Annotated(a.text, a.span, a.code, a.text in denied and _text_counts(document, a.text) < 2)
        for a in conditions
    ]
    conditions += [
        annotated
        for annotated in _placed(text, document.get("negated", ()), negated=True)
        if annotated.span not in places
    ]
    return AnnotatedNote(
        file.stem, text, tuple(conditions), tuple(_placed(text, document.get("medications", ())))
    )


def _text_counts(document: dict[str, Any], text: str) -> int:
    """The number of places of the text in the note; where it is stated and denied, the lists say which."""
    return int(document["text"].count(text))


def _text(item: Any) -> str:
    return str(item["text"] if isinstance(item, dict) else item)


def _placed(text: str, items: Sequence[Any], negated: bool = False) -> list[Annotated]:
    """The items at their places: each behind the one before it, else wherever its text stands."""
    placed, used, cursor = [], set(), 0
    for item in items:
        wanted = _text(item)
        begin = text.find(wanted, cursor)
        if begin < 0:
            begin = next(
                (p for p in _everywhere(text, wanted) if (p, p + len(wanted)) not in used), -1
            )
        if begin < 0:
            continue
        span = (begin, begin + len(wanted))
        used.add(span)
        cursor = max(cursor, begin + 1)
        code = item.get("code", "") if isinstance(item, dict) else ""
        placed.append(Annotated(wanted, span, code, negated))
    return placed


def _everywhere(text: str, wanted: str) -> list[int]:
    places, at = [], text.lower().find(wanted.lower())
    while at >= 0:
        places.append(at)
        at = text.lower().find(wanted.lower(), at + 1)
    return places


def count(
    scores: Scores,
    note: AnnotatedNote,
    entities: Sequence[dict[str, Any]],
    coded: Sequence[dict[str, Any]],
) -> None:
    """Adds a note's answers to the scores: DetectEntitiesV2's entities and InferICD10CM's."""
    found = [e for e in entities if e["Category"] == "MEDICAL_CONDITION"]
    for annotated, entity in _pairs(note.conditions, found, scores.conditions, scores, note.name):
        denied = any(trait["Name"] == "NEGATION" for trait in entity["Traits"])
        if denied and annotated.negated:
            scores.negation.hits += 1
        elif denied:
            scores.negation.wrong += 1
            scores.mistakes.append(f"{note.name}: not denied: {annotated.text}")
        elif annotated.negated:
            scores.negation.missed += 1
            scores.mistakes.append(f"{note.name}: denied: {annotated.text}")
    drugs = [
        e
        for e in entities
        if e["Category"] == "MEDICATION" and e["Type"] in ("GENERIC_NAME", "BRAND_NAME")
    ]
    _pairs(note.medications, drugs, scores.medications, scores, note.name)
    stated = [annotated for annotated in note.conditions if annotated.code]
    for annotated, entity in _pairs(stated, coded, Tally(), None, note.name):
        offered = [concept["Code"] for concept in entity["ICD10CMConcepts"]]
        scores.codes.append((annotated.text, annotated.code, offered))


def _pairs(
    annotated: Sequence[Annotated],
    found: Sequence[dict[str, Any]],
    tally: Tally,
    scores: Scores | None,
    name: str,
) -> list[tuple[Annotated, dict[str, Any]]]:
    """Annotated and found that overlap, each used once; what is left over is counted."""
    left = list(found)
    pairs = []
    for one in annotated:
        entity = max(left, key=lambda e: _overlap(one.span, e), default=None)
        if entity is None or _overlap(one.span, entity) <= 0:
            tally.missed += 1
            if scores:
                scores.mistakes.append(f"{name}: missed: {one.text}")
            continue
        tally.hits += 1
        left.remove(entity)
        pairs.append((one, entity))
    tally.wrong += len(left)
    if scores:
        scores.mistakes += [f"{name}: too much: {entity['Text']}" for entity in left]
    return pairs


def _overlap(span: Span, entity: dict[str, Any]) -> int:
    return int(min(span[1], entity["EndOffset"]) - max(span[0], entity["BeginOffset"]))
