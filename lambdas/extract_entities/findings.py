"""Selects the patient's current findings from Comprehend Medical's answers. Pure.

Findings that the note negates, supposes, or attributes to a relative or to the past, and those with a
low score, are counted in `set_aside` and never shown as current. A condition is set aside when either
operation marks the same words (docs/adr/0051-which-findings-are-used.md).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lambdas.common.contracts.findings import Finding, FindingType, SetAsideReason
from lambdas.common.contracts.message.visit import CodedText
from lambdas.extract_entities.notes.notes import Reading

Entity = Mapping[str, Any]

SET_ASIDE = {
    "NEGATION": SetAsideReason.NEGATED,
    "PERTAINS_TO_FAMILY": SetAsideReason.FAMILY,
    "HYPOTHETICAL": SetAsideReason.HYPOTHETICAL,
    "FUTURE": SetAsideReason.HYPOTHETICAL,
    "PAST_HISTORY": SetAsideReason.PAST,
    "LOW_CONFIDENCE": SetAsideReason.LOW_CONFIDENCE,
}
"""Traits for which a finding is set aside; the first that applies is the reason."""

SCORE = 0.5
"""An entity below this score is set aside as low_confidence, and an attribute below it is left out."""

CODE_SCORE = 0.2
"""A concept below this score does not become the condition's code; its words are shown without one."""

MEDICATION_TYPES = ("GENERIC_NAME", "BRAND_NAME")
DETAIL_TYPES = {
    "DOSAGE": "dosage",
    "STRENGTH": "strength",
    "FORM": "form",
    "ROUTE_OR_MODE": "route",
    "FREQUENCY": "frequency",
    "RATE": "rate",
}

CONDITION_TRAITS = ("DIAGNOSIS", "SIGN", "SYMPTOM")
TEST_TYPES = {
    "TEST_NAME": FindingType.TEST,
    "PROCEDURE_NAME": FindingType.PROCEDURE,
    "TREATMENT_NAME": FindingType.TREATMENT,
}
NOT_COUNTED = frozenset(TEST_TYPES.values())

# The service's Text may carry leading tabs and a trailing full stop ("PE.").
_AROUND = " \t\r\n.,;:"


@dataclass(frozen=True, slots=True)
class CurrentFindings:
    """The current findings in reading order; the others are in `apart` by their reason."""

    conditions: tuple[Finding, ...] = field(repr=False, default=())
    medications: tuple[Finding, ...] = field(repr=False, default=())
    tests: tuple[Finding, ...] = field(repr=False, default=())
    procedures: tuple[Finding, ...] = field(repr=False, default=())
    apart: dict[SetAsideReason, tuple[Finding, ...]] = field(repr=False, default_factory=dict)
    set_aside: dict[SetAsideReason, int] = field(default_factory=dict)


def found(
    reading: Reading,
    entities: Sequence[Entity],
    icd10cm: Sequence[Entity],
    rxnorm: Sequence[Entity] = (),
) -> CurrentFindings:
    """The findings in DetectEntitiesV2's `entities`, InferICD10CM's and InferRxNorm's.

    Offsets are those of `reading`. If one operation was not called or did not answer, the findings of
    the others are used: a condition without a code, a medication without its form.
    """
    current: dict[str, list[Finding]] = defaultdict(list)
    apart: dict[SetAsideReason, list[Finding]] = defaultdict(list)

    def sort(section: str, finding: Finding, reason: SetAsideReason | None) -> None:
        (apart[reason] if reason else current[section]).append(finding)

    named = [entity for entity in entities if _is_condition(entity)]
    coded = [e for e in icd10cm if _is_condition(e) and e.get("Type") == "DX_NAME"]
    for entity in coded:
        same_words = [known for known in named if _overlap(known, entity)]
        sort(
            "condition",
            _condition(entity, reading, same_words),
            _reason([entity, *same_words], entity["Score"]),
        )
    for entity in named:
        if not any(_overlap(entity, other) for other in coded):
            sort("condition", _condition(entity, reading, []), _reason([entity], entity["Score"]))
    drugs = [e for e in entities if e["Category"] == "MEDICATION" and e["Type"] in MEDICATION_TYPES]
    for entity in drugs or [e for e in rxnorm if e.get("Type") in MEDICATION_TYPES]:
        sort("medication", _medication(entity, reading), _reason([entity], entity["Score"]))
    for entity in entities:
        if entity["Category"] == "TEST_TREATMENT_PROCEDURE" and entity["Type"] in TEST_TYPES:
            section = "test" if entity["Type"] == "TEST_NAME" else "procedure"
            sort(section, _test(entity, reading), _reason([entity], entity["Score"]))
    return CurrentFindings(
        conditions=_merged(current["condition"]),
        medications=_merged(current["medication"]),
        tests=tuple(current["test"]),
        procedures=_merged(current["procedure"]),
        apart={reason: _merged(findings) for reason, findings in apart.items()},
        set_aside={
            reason: sum(one.finding_type not in NOT_COUNTED for one in findings)
            for reason, findings in apart.items()
        },
    )


def shown(text: str) -> str:
    """An entity's text without surrounding blanks and punctuation."""
    return " ".join(text.strip(_AROUND).split())


def _is_condition(entity: Entity) -> bool:
    return bool(entity["Category"] == "MEDICAL_CONDITION")


def _overlap(one: Entity, other: Entity) -> bool:
    return bool(one["BeginOffset"] < other["EndOffset"] and other["BeginOffset"] < one["EndOffset"])


def _reason(entities: Iterable[Entity], score: float) -> SetAsideReason | None:
    traits = {trait["Name"] for entity in entities for trait in entity.get("Traits", ())}
    reasons = (reason for trait, reason in SET_ASIDE.items() if trait in traits)
    return next(reasons, SetAsideReason.LOW_CONFIDENCE if score < SCORE else None)


def _condition(entity: Entity, reading: Reading, same_words: Sequence[Entity]) -> Finding:
    best = _best_concept(entity, "ICD10CMConcepts")
    return Finding(
        text=shown(entity["Text"]),
        code=best.get("Code", ""),
        description=best.get("Description", ""),
        score=entity["Score"],
        field=reading.field_at(entity["BeginOffset"]),
        finding_type=_condition_type([*same_words, entity]),
        acuity=_attributes([*same_words, entity], ("ACUITY",)),
        anatomy=_attributes([*same_words, entity], ("DIRECTION", "SYSTEM_ORGAN_SITE")),
    )


def _best_concept(entity: Entity, name: str) -> Entity:
    """The concept with the highest score; {} where that is below `CODE_SCORE`."""
    best: Entity = max(entity.get(name, ()), key=lambda concept: concept["Score"], default={})
    return best if best and best["Score"] >= CODE_SCORE else {}


def _condition_type(entities: Sequence[Entity]) -> FindingType:
    """`diagnosis`, `sign` or `symptom`: the first of these traits that an operation gives."""
    traits = [trait["Name"] for entity in entities for trait in entity.get("Traits", ())]
    return next(
        (FindingType(trait.lower()) for trait in traits if trait in CONDITION_TRAITS),
        FindingType.NONE,
    )


def _attributes(entities: Sequence[Entity], types: Sequence[str]) -> str:
    """The words of these attributes in the note's order, each once."""
    places = {
        attribute["BeginOffset"]: shown(attribute["Text"])
        for entity in entities
        for attribute in _sure_attributes(entity)
        if attribute["Type"] in types
    }
    return " ".join(dict.fromkeys(places[begin] for begin in sorted(places)))


def _sure_attributes(entity: Entity) -> list[Entity]:
    """The attributes whose `Score` and `RelationshipScore` are at least `SCORE`.

    The service may relate one attribute to two entities (docs/adr/0306-attributes-by-their-scores.md).
    """
    return [
        attribute
        for attribute in entity.get("Attributes", ())
        if min(attribute.get("Score", 1), attribute.get("RelationshipScore", 1)) >= SCORE
    ]


def _test(entity: Entity, reading: Reading) -> Finding:
    values = _attributes([entity], ("TEST_VALUE", "TEST_UNIT", "TEST_UNITS"))
    return Finding(
        text=shown(entity["Text"]),
        score=entity["Score"],
        detail=values,
        field=reading.field_at(entity["BeginOffset"]),
        finding_type=TEST_TYPES[entity["Type"]],
    )


def _medication(entity: Entity, reading: Reading) -> Finding:
    details = sorted(
        (a for a in _sure_attributes(entity) if a["Type"] in DETAIL_TYPES),
        key=lambda attribute: attribute["BeginOffset"],
    )
    best = _best_concept(entity, "RxNormConcepts")
    return Finding(
        text=shown(entity["Text"]),
        code=best.get("Code", ""),
        score=entity["Score"],
        finding_type=FindingType(entity["Type"].split("_")[0].lower()),
        detail=" ".join(dict.fromkeys(shown(attribute["Text"]) for attribute in details)),
        attributes={DETAIL_TYPES[a["Type"]]: shown(a["Text"]) for a in reversed(details)},
        field=reading.field_at(entity["BeginOffset"]),
    )


def _merged(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings without repeats: one per code and one per text, at its first position.

    Words, code and score are those of the highest score; every distinct detail is kept.
    """
    merged: list[Finding] = []
    for finding in findings:
        place = next((i for i, known in enumerate(merged) if _same(known, finding)), None)
        if place is None:
            merged.append(finding)
        else:
            merged[place] = _joined(merged[place], finding)
    return tuple(merged)


def _same(one: Finding, other: Finding) -> bool:
    if one.code and one.code == other.code:
        return True
    return one.text.casefold() == other.text.casefold()


def _joined(first: Finding, again: Finding) -> Finding:
    surest = max(first, again, key=lambda finding: (bool(finding.code), finding.score))
    details = dict.fromkeys(detail for detail in (first.detail, again.detail) if detail)
    return replace(
        surest,
        field=first.field,
        detail="; ".join(details),
        attributes={**again.attributes, **first.attributes},
    )


def without_known(
    conditions: Sequence[Finding], hospital: Sequence[CodedText]
) -> tuple[Finding, ...]:
    """The conditions that the hospital has not itself coded (DG1): by code, by text, or read there."""
    codes = {_bare(diagnosis.code) for diagnosis in hospital} - {""}
    texts = {diagnosis.text.casefold() for diagnosis in hospital} - {""}
    fields = {f"DG1[{n}]-3" for n, diagnosis in enumerate(hospital, 1) if diagnosis.code}
    return tuple(
        finding
        for finding in conditions
        if _bare(finding.code) not in codes
        and finding.text.casefold() not in texts
        and finding.field not in fields
    )


def _bare(code: str) -> str:
    """A code for comparison, without the point, which some senders leave out."""
    return code.replace(".", "").strip().upper()
