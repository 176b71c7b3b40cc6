"""Builds the simulator's answers in the service's shapes.

Shapes: Amazon Comprehend Medical API Reference (2018-10-30). A score depends on how a term was
found (spelt out, abbreviated, misspelt), not on its probability.
"""

import gc
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import count
from typing import Any

from simulators.comprehend_medical import doses
from simulators.comprehend_medical import extras as tables
from simulators.comprehend_medical.coding import icd10cm, linker, rxnorm
from simulators.comprehend_medical.terms.mentions import (
    ACUITY,
    SIDES,
    Mention,
    mentions,
    ready,
    sites,
)
from simulators.comprehend_medical.terms.ontology import codes
from simulators.comprehend_medical.text.tokens import Token, sentences, tokens, word_set
from simulators.comprehend_medical.text.traits import Span, traits_of

MODEL_VERSION = "stand-in.2"
ICD10CM_VERSION = "stand-in.2.ICD-10-CM-2026-04"
RXNORM_VERSION = "stand-in.2.RxNorm"

# InferICD10CM has no traits for past or future conditions; InferRxNorm has two traits only.
ICD10CM_TRAITS = word_set(
    "NEGATION DIAGNOSIS SIGN SYMPTOM PERTAINS_TO_FAMILY HYPOTHETICAL LOW_CONFIDENCE"
)
RXNORM_TRAITS = frozenset({"NEGATION", "PAST_HISTORY"})

Entity = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Found:
    """A mention with its offsets, its traits, and the offset of the next mention."""

    mention: Mention
    begin: int
    end: int
    traits: tuple[str, ...]
    stop: int
    codes: tuple[tuple[str, float], ...]


def warm() -> None:
    """Loads every table and index, so that the first request is not slower."""
    # The tables hold no reference cycles; garbage collection would double the loading time.
    gc.disable()
    try:
        ready()
        linker.ready()
    finally:
        gc.enable()
    detect_entities_v2("Denies pain. Takes aspirin 81 mg daily. BP 120/80.")
    infer_icd10cm("fracture of left wrist")


def detect_entities_v2(text: str) -> dict[str, Any]:
    """Returns DetectEntitiesV2's answer: conditions, medications, tests and treatments in the order of the text."""
    words = _reading(text).words
    found = _found(text, with_codes=False)
    number = count()
    entities = [_entity_v2(text, words, one, number) for one in found]
    taken = [(one.begin, one.end) for one in found]
    entities += [
        _extra(text, extra, number)
        for extra in tables.extras(text)
        if _free(extra.begin, extra.end, taken)
    ]
    entities.sort(key=lambda entity: (entity["BeginOffset"], entity["Id"]))
    return {"Entities": entities, "UnmappedAttributes": [], "ModelVersion": MODEL_VERSION}


def infer_icd10cm(text: str) -> dict[str, Any]:
    """Returns InferICD10CM's answer: every condition with up to five concepts, best first."""
    words = _reading(text).words
    entities: list[Entity] = []
    number = count()
    for one in _found(text, with_codes=True):
        if one.mention.about != "condition":
            continue
        entity = _basic(text, one, next(number))
        entity |= {"Category": "MEDICAL_CONDITION", "Type": "DX_NAME"}
        entity["Attributes"] = _around(text, words, one, number, overlap=True)
        entity["Traits"] = [t for t in entity["Traits"] if t["Name"] in ICD10CM_TRAITS]
        entity["ICD10CMConcepts"] = [
            {"Description": codes()[code][0], "Code": code, "Score": round(score, 4)}
            for code, score in one.codes
        ]
        entities.append(entity)
    return {"Entities": entities, "ModelVersion": ICD10CM_VERSION}


def infer_rxnorm(text: str) -> dict[str, Any]:
    """Returns InferRxNorm's answer: every medication with the concepts of its ingredients."""
    entities: list[Entity] = []
    number = count()
    for one in _found(text, with_codes=False):
        if one.mention.about != "medication":
            continue
        entity = _basic(text, one, next(number))
        entity |= {"Category": "MEDICATION", "Type": one.mention.kind}
        attributes = [
            _attribute(text, a, next(number)) for a in doses.attributes(text, one.end, one.stop)
        ]
        for attribute in attributes:
            del attribute["RelationshipType"], attribute["Category"]
        entity["Attributes"] = attributes
        entity["Traits"] = [t for t in entity["Traits"] if t["Name"] in RXNORM_TRAITS]
        entity["RxNormConcepts"] = rxnorm.concepts(one.mention.substance)
        entities.append(entity)
    return {"Entities": entities, "ModelVersion": RXNORM_VERSION}


@dataclass(frozen=True, slots=True)
class _Reading:
    """A note's tokens, the sentence of each, its mentions, and the traits that the text gives each mention."""

    words: tuple[Token, ...]
    sentence_of: tuple[int, ...]
    mentions: tuple[Mention, ...]
    traits: tuple[frozenset[str], ...]


# A sender of a note asks for entities and for codes one after the other.
@lru_cache(maxsize=32)
def _reading(text: str) -> _Reading:
    words = tokens(text)
    sentence_of = sentences(text, words)
    found = mentions(text, words)
    if not found and icd10cm.is_short(text, words):
        found = icd10cm.whole(text, words)
    spans = [Span(m.first, m.last, m.about) for m in found]
    told = traits_of(text, words, sentence_of, spans)
    # Codes for history apply to the patient only, not to relatives.
    found = [
        replace(mention, past=mention.past and "PERTAINS_TO_FAMILY" not in traits)
        for mention, traits in zip(found, told, strict=True)
    ]
    return _Reading(tuple(words), tuple(sentence_of), tuple(found), tuple(map(frozenset, told)))


def _found(text: str, with_codes: bool) -> list[_Found]:
    """The mentions of a note with offsets and traits; with the codes of all conditions if wanted."""
    note = _reading(text)
    words, found = note.words, note.mentions
    whole = text.strip() if icd10cm.is_short(text, words) and len(found) == 1 else ""
    results = []
    for index, mention in enumerate(found):
        begin, end = words[mention.first].begin, words[mention.last].end
        coded: list[tuple[str, float]] = []
        kind: tuple[str, ...] = ()
        traits = set(note.traits[index])
        if mention.about == "condition":
            if with_codes or mention.past or not mention.kind:
                coded = icd10cm.coded(mention, text[begin:end], whole)
            kind = (mention.kind or (icd10cm.kind_of(coded[0][0]) if coded else "DIAGNOSIS"),)
            if mention.past and coded and coded[0][0].startswith("Z") and not traits:
                traits.add("PAST_HISTORY")
        following = found[index + 1] if index + 1 < len(found) else None
        stop = _stop(words, note.sentence_of, mention, following)
        results.append(_Found(mention, begin, end, (*kind, *sorted(traits)), stop, tuple(coded)))
    return results


def _stop(
    words: Sequence[Token], sentence_of: Sequence[int], mention: Mention, following: Mention | None
) -> int:
    """The offset at which a mention's attributes end: the next drug or condition, or the end of the sentence."""
    last = mention.last
    while last + 1 < len(words) and sentence_of[last + 1] == sentence_of[mention.last]:
        last += 1
    end = words[last].end
    return min(end, words[following.first].begin) if following else end


def _entity_v2(text: str, words: Sequence[Token], one: _Found, number: "count[int]") -> Entity:
    entity = _basic(text, one, next(number))
    if one.mention.about == "medication":
        entity |= {"Category": "MEDICATION", "Type": one.mention.kind}
        found = doses.attributes(text, one.end, one.stop)
        entity["Attributes"] = [_attribute(text, attribute, next(number)) for attribute in found]
    else:
        entity |= {"Category": "MEDICAL_CONDITION", "Type": "DX_NAME"}
        entity["Attributes"] = _around(text, words, one, number)
    return entity


def _basic(text: str, one: _Found, identifier: int) -> Entity:
    words = text[one.begin : one.end]
    score = 0.9 if one.mention.misspelt else 0.93 if words.isupper() else 0.98
    return {
        "Id": identifier,
        "BeginOffset": one.begin,
        "EndOffset": one.end,
        "Score": score,
        "Text": words,
        "Traits": [{"Name": name, "Score": 0.9} for name in one.traits],
    }


def _around(
    text: str, words: Sequence[Token], one: _Found, number: "count[int]", overlap: bool = False
) -> list[dict[str, Any]]:
    """The attributes of a condition: acuity, laterality and body site, from the words before and in it."""
    found = []
    place = one.mention.first - 1
    while place >= 0 and one.mention.first - place < 5:
        form = words[place].form
        kind = "ACUITY" if form in ACUITY else "DIRECTION" if form in SIDES else "SYSTEM_ORGAN_SITE"
        if kind == "SYSTEM_ORGAN_SITE" and form not in sites():
            break
        found.append((kind, place))
        place -= 1
    for place in range(one.mention.first, one.mention.last + 1):
        if words[place].form in SIDES:
            found.append(("DIRECTION", place))
        elif words[place].form in sites() and one.mention.last > one.mention.first:
            found.append(("SYSTEM_ORGAN_SITE", place))
    attributes = []
    for kind, place in sorted(found, key=lambda item: item[1]):
        attribute = doses.Attribute(kind, words[place].begin, words[place].end)
        made = _attribute(text, attribute, next(number))
        made["Category"] = "MEDICAL_CONDITION" if kind == "ACUITY" else "ANATOMY"
        if overlap:  # InferICD10CM has other relationship types and one category
            made["RelationshipType"] = kind if kind == "SYSTEM_ORGAN_SITE" else "OVERLAP"
            made["Category"] = "DX_NAME"
        attributes.append(made)
    return attributes


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


def _extra(text: str, extra: tables.Extra, number: "count[int]") -> Entity:
    entity: Entity = {
        "Id": next(number),
        "BeginOffset": extra.begin,
        "EndOffset": extra.end,
        "Score": 0.9,
        "Text": text[extra.begin : extra.end],
        "Category": "TEST_TREATMENT_PROCEDURE",
        "Type": extra.type,
        "Traits": [],
    }
    attributes = []
    for kind, span in (("TEST_VALUE", extra.value), ("TEST_UNIT", extra.unit)):
        if span:
            made = _attribute(text, doses.Attribute(kind, *span), next(number))
            made["Category"] = "TEST_TREATMENT_PROCEDURE"
            attributes.append(made)
    if attributes:
        entity["Attributes"] = attributes
    return entity


def _free(begin: int, end: int, taken: Sequence[tuple[int, int]]) -> bool:
    return not any(begin < other_end and other_begin < end for other_begin, other_end in taken)
