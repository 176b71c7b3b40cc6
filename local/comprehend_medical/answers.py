"""What the stand-in answers: DetectEntitiesV2 and InferICD10CM in the service's own shapes.

Shapes: Amazon Comprehend Medical API Reference (2018-10-30). Scores say how a thing was found (spelt
out, abbreviated, misspelt), not how likely it is right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from local.comprehend_medical import context, doses
from local.comprehend_medical.lexicon import (
    Condition,
    Drug,
    Occurrence,
    conditions,
    descriptions,
    drugs,
)
from local.comprehend_medical.tokens import Token, sentences, tokens

MODEL_VERSION = "stand-in.1"
ICD10CM_VERSION = "stand-in.1.ICD-10-CM-2026-04"
CONCEPTS = 5

# InferICD10CM has no trait for what is past.
ICD10CM_TRAITS = frozenset(
    {
        "NEGATION",
        "DIAGNOSIS",
        "SIGN",
        "SYMPTOM",
        "PERTAINS_TO_FAMILY",
        "HYPOTHETICAL",
        "LOW_CONFIDENCE",
    }
)

Entity = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Mention:
    """Something found, the traits that the note gives it, and where the next thing begins."""

    occurrence: Occurrence
    begin: int
    end: int
    traits: tuple[str, ...]
    stop: int


def detect_entities_v2(text: str) -> dict[str, Any]:
    """DetectEntitiesV2's answer: MEDICAL_CONDITION and MEDICATION entities in reading order."""
    entities: list[Entity] = []
    identifier = 0
    for mention in _mentions(text):
        entity = _entity(text, mention, identifier)
        identifier += 1
        if isinstance(mention.occurrence.entry, Drug):
            entity |= {"Category": "MEDICATION", "Type": mention.occurrence.entry.type}
            found = doses.attributes(text, mention.end, mention.stop)
            entity["Attributes"] = [
                _attribute(text, attribute, identifier + number)
                for number, attribute in enumerate(found)
            ]
            identifier += len(found)
        else:
            entity |= {"Category": "MEDICAL_CONDITION", "Type": "DX_NAME"}
        entities.append(entity)
    return {"Entities": entities, "UnmappedAttributes": [], "ModelVersion": MODEL_VERSION}


def infer_icd10cm(text: str) -> dict[str, Any]:
    """InferICD10CM's answer: every condition with up to five concepts, best first."""
    entities: list[Entity] = []
    for mention in _mentions(text):
        entry = mention.occurrence.entry
        if isinstance(entry, Condition):
            entity = _entity(text, mention, len(entities))
            entity |= {"Category": "MEDICAL_CONDITION", "Type": "DX_NAME", "Attributes": []}
            entity["Traits"] = [t for t in entity["Traits"] if t["Name"] in ICD10CM_TRAITS]
            entity["ICD10CMConcepts"] = _concepts(entry)
            entities.append(entity)
    return {"Entities": entities, "ModelVersion": ICD10CM_VERSION}


def _mentions(text: str) -> list[_Mention]:
    words = tokens(text)
    sentence_of = sentences(text, words)
    found = sorted(
        [
            *conditions().occurrences(text, words),
            *drugs().occurrences(text, words, correct=True),
        ],
        key=lambda occurrence: (occurrence.first, -occurrence.last),
    )
    occurrences = _apart(found)
    spans = [context.Span(o.first, o.last, _about(o)) for o in occurrences]
    told = context.traits(words, sentence_of, spans)
    mentions = []
    for index, occurrence in enumerate(occurrences):
        following = occurrences[index + 1] if index + 1 < len(occurrences) else None
        mentions.append(
            _Mention(
                occurrence,
                words[occurrence.first].begin,
                words[occurrence.last].end,
                (*_kind(occurrence), *sorted(told[index])),
                _stop(words, sentence_of, occurrence, following),
            )
        )
    return mentions


def _about(occurrence: Occurrence) -> str:
    return "medication" if isinstance(occurrence.entry, Drug) else "condition"


def _kind(occurrence: Occurrence) -> tuple[str, ...]:
    entry = occurrence.entry
    return (entry.kind,) if isinstance(entry, Condition) else ()


def _apart(occurrences: Sequence[Occurrence]) -> list[Occurrence]:
    """Those that do not overlap an earlier one: "iron" of "iron deficiency anemia" is no drug."""
    kept: list[Occurrence] = []
    for occurrence in occurrences:
        if not kept or occurrence.first > kept[-1].last:
            kept.append(occurrence)
    return kept


def _stop(
    words: Sequence[Token],
    sentence_of: Sequence[int],
    occurrence: Occurrence,
    following: Occurrence | None,
) -> int:
    """Where the attributes of an occurrence end: at the next thing, or with the sentence."""
    last = occurrence.last
    while last + 1 < len(words) and sentence_of[last + 1] == sentence_of[occurrence.last]:
        last += 1
    end = words[last].end
    return min(end, words[following.first].begin) if following else end


def _entity(text: str, mention: _Mention, identifier: int) -> Entity:
    words = text[mention.begin : mention.end]
    score = 0.9 if mention.occurrence.misspelt else 0.93 if words.isupper() else 0.98
    return {
        "Id": identifier,
        "BeginOffset": mention.begin,
        "EndOffset": mention.end,
        "Score": score,
        "Text": words,
        "Traits": [{"Name": name, "Score": 0.9} for name in mention.traits],
    }


def _attribute(text: str, attribute: doses.Attribute, identifier: int) -> dict[str, Any]:
    return {
        "Type": attribute.type,
        "Score": 0.95,
        "RelationshipScore": 0.95,
        "RelationshipType": attribute.type,
        "Id": identifier,
        "BeginOffset": attribute.begin,
        "EndOffset": attribute.end,
        "Text": text[attribute.begin : attribute.end],
        "Category": "MEDICATION",
        "Traits": [],
    }


def _concepts(entry: Condition) -> list[dict[str, Any]]:
    """The entry's codes, then far behind them others of the first one's category."""
    known = descriptions()
    category = entry.codes[0].split(".")[0]
    others = [code for code in known if code.split(".")[0] == category and code not in entry.codes]
    ranked = [(code, 0.85 / (rank + 1)) for rank, code in enumerate(entry.codes)]
    ranked += [(code, 0.1 / (rank + 1)) for rank, code in enumerate(others)]
    return [
        {"Description": known[code], "Code": code, "Score": round(score, 4)}
        for code, score in ranked[:CONCEPTS]
    ]
