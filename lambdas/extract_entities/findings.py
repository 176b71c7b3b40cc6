"""What Comprehend Medical's answers say of the patient now: conditions and medications. Pure.

What the note denies, supposes, tells of a relative or of the past, and what the service itself is
unsure of, is counted in `set_aside` and never shown as current. A condition is set aside when either
operation says so of the same words: they read the same text, and the careful answer wins.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lambdas.common.models import Finding
from lambdas.extract_entities.notes import Reading

Entity = Mapping[str, Any]

SET_ASIDE = {
    "NEGATION": "negated",
    "PERTAINS_TO_FAMILY": "family",
    "HYPOTHETICAL": "hypothetical",
    "FUTURE": "hypothetical",
    "PAST_HISTORY": "past",
    "LOW_CONFIDENCE": "low_confidence",
}
"""Traits that keep a finding off the notification; the first that applies names the reason."""

SCORE = 0.5
"""An entity below this score is set aside as low_confidence."""

CODE_SCORE = 0.2
"""A concept below this score does not become the condition's code; its words are shown without one."""

MEDICATION_TYPES = ("GENERIC_NAME", "BRAND_NAME")
DETAIL_TYPES = ("DOSAGE", "STRENGTH", "FORM", "ROUTE_OR_MODE", "FREQUENCY", "RATE")

# The service's Text may carry leading tabs and a trailing full stop ("PE.").
_AROUND = " \t\r\n.,;:"


@dataclass(frozen=True, slots=True)
class Found:
    """Conditions and medications in reading order, and how many findings were left out for what."""

    conditions: tuple[Finding, ...] = field(repr=False, default=())
    medications: tuple[Finding, ...] = field(repr=False, default=())
    set_aside: dict[str, int] = field(default_factory=dict)


def found(reading: Reading, entities: Sequence[Entity], icd10cm: Sequence[Entity]) -> Found:
    """The findings in DetectEntitiesV2's `entities` and InferICD10CM's, offsets those of `reading`."""
    set_aside: Counter[str] = Counter()
    doubted = [entity for entity in entities if _is_condition(entity) and _reason([entity], 1)]
    conditions = []
    for entity in icd10cm:
        if entity["Category"] == "MEDICAL_CONDITION" and entity.get("Type") == "DX_NAME":
            same_words = [known for known in doubted if _overlap(known, entity)]
            reason = _reason([entity, *same_words], entity["Score"])
            if reason:
                set_aside[reason] += 1
            else:
                conditions.append(_condition(entity, reading))
    medications = []
    for entity in entities:
        if entity["Category"] == "MEDICATION" and entity["Type"] in MEDICATION_TYPES:
            reason = _reason([entity], entity["Score"])
            if reason:
                set_aside[reason] += 1
            else:
                medications.append(_medication(entity, reading))
    return Found(_merged(conditions), _merged(medications), dict(set_aside))


def shown(text: str) -> str:
    """An entity's text without what surrounds it."""
    return " ".join(text.strip(_AROUND).split())


def _is_condition(entity: Entity) -> bool:
    return bool(entity["Category"] == "MEDICAL_CONDITION")


def _overlap(one: Entity, other: Entity) -> bool:
    return bool(one["BeginOffset"] < other["EndOffset"] and other["BeginOffset"] < one["EndOffset"])


def _reason(entities: Iterable[Entity], score: float) -> str:
    traits = {trait["Name"] for entity in entities for trait in entity.get("Traits", ())}
    reasons = (reason for trait, reason in SET_ASIDE.items() if trait in traits)
    return next(reasons, "low_confidence" if score < SCORE else "")


def _condition(entity: Entity, reading: Reading) -> Finding:
    concepts = sorted(entity.get("ICD10CMConcepts", ()), key=lambda c: -c["Score"])
    best = concepts[0] if concepts and concepts[0]["Score"] >= CODE_SCORE else {}
    return Finding(
        text=shown(entity["Text"]),
        code=best.get("Code", ""),
        description=best.get("Description", ""),
        score=entity["Score"],
        field=reading.field_at(entity["BeginOffset"]),
    )


def _medication(entity: Entity, reading: Reading) -> Finding:
    details = sorted(
        (a for a in entity.get("Attributes", ()) if a["Type"] in DETAIL_TYPES),
        key=lambda attribute: attribute["BeginOffset"],
    )
    return Finding(
        text=shown(entity["Text"]),
        score=entity["Score"],
        detail=" ".join(dict.fromkeys(shown(attribute["Text"]) for attribute in details)),
        field=reading.field_at(entity["BeginOffset"]),
    )


def _merged(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings without repeats: one for a code, one for a text, where it was read first.

    The words, code and score of the surest stay, and every distinct detail.
    """
    kept: list[Finding] = []
    for finding in findings:
        place = next((i for i, known in enumerate(kept) if _same(known, finding)), None)
        if place is None:
            kept.append(finding)
        else:
            kept[place] = _joined(kept[place], finding)
    return tuple(kept)


def _same(one: Finding, other: Finding) -> bool:
    if one.code and one.code == other.code:
        return True
    return one.text.casefold() == other.text.casefold()


def _joined(first: Finding, again: Finding) -> Finding:
    surest = max(first, again, key=lambda finding: (bool(finding.code), finding.score))
    details = dict.fromkeys(detail for detail in (first.detail, again.detail) if detail)
    return replace(surest, field=first.field, detail="; ".join(details))
