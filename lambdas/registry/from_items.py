"""Reads items of the registry's table into its records."""

from collections.abc import Iterable, Mapping

from lambdas.common.contracts.document import read_as
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.common.contracts.message.person import Name
from lambdas.common.contracts.recipients.consent import Consent, Direction, Sensitivity
from lambdas.common.contracts.recipients.preferences import CostMode, DetailLevel
from lambdas.common.contracts.recipients.recipient import RelationshipType
from lambdas.registry.keys import CONSENT, At, Item, id_in
from lambdas.registry.records import (
    PREFERENCE_TEXTS,
    Absence,
    EventFilter,
    PatientRecord,
    Preferences,
    Provider,
    Relationship,
)


def patient(patient_id: str, item: Item) -> PatientRecord:
    """The patient of an item."""
    names = ("family", "given", "birth_date", "sex", "merged_into")
    return PatientRecord(
        patient_id,
        **{name: item.get(name) or "" for name in names},
        former_families=texts(item.get("former_families", ())),
    )


def is_related(sk: str) -> bool:
    """Whether the sort key is that of a relationship."""
    return sk.startswith("provider#")


def provider_id(item: Item) -> str:
    """The provider of a relationship's item."""
    known: str = item.get("provider_id") or id_in(item["sk"])
    return known


def relationship(item: Item) -> Relationship:
    """The relationship of an item."""
    return Relationship(
        provider_id(item),
        _relationship_types(texts(item.get("relationship", ()))),
        item.get("active", True) is not False,
        item.get("roster_until") or "",
    )


def _relationship_types(texts: Iterable[str]) -> tuple[RelationshipType, ...]:
    """The types. A text that the import does not write counts as the care team."""
    known = set(RelationshipType)
    found = (RelationshipType(t) if t in known else RelationshipType.CARE_TEAM for t in texts)
    return tuple(dict.fromkeys(found))


def providers(found: Mapping[At, Item]) -> dict[str, Provider]:
    """The providers among the items, by id."""
    known = [_provider(item) for (_, sk), item in found.items() if sk == "provider"]
    return {provider.provider_id: provider for provider in known}


def _provider(item: Item) -> Provider:
    return Provider(
        provider_id=item.get("provider_id") or id_in(item["pk"]),
        name=Name(**{part: item.get(part) or "" for part in ("family", "given", "prefix")}),
        npi=item.get("npi") or "",
        address=item.get("email") or "",
        active=item.get("active", True) is not False,
        facility=item.get("kind") == "facility",
        event_filter=_event_filter(item),
        absence=_absence(item),
        preferences=_preferences(item),
    )


def _preferences(item: Item) -> Preferences:
    """The provider's preferences; an unknown choice counts as the one with the least content."""
    said = {name: item[name] for name in PREFERENCE_TEXTS if item.get(name)}
    for name, least in (("detail", DetailLevel.MINIMAL), ("analysis", CostMode.OFF)):
        if name in said and said[name] not in set(type(least)):
            said[name] = least
    return read_as(Preferences, {**said, "bundle": item.get("bundle") is True})


def _event_filter(item: Item) -> EventFilter:
    """The events they want to be told of; a choice that is neither yes nor no is no."""
    known = set(EventKind)
    return EventFilter(
        notify=item.get("notify", True) is True,
        event_kinds=tuple(
            EventKind(kind) for kind in texts(item.get("event_types", ())) if kind in known
        ),
        patient_classes=texts(item.get("patient_classes", ())),
        facilities=texts(item.get("facilities", ())),
    )


def _absence(item: Item) -> Absence:
    texts = ("surrogate", "away_from", "away_until")
    return Absence(**{name: item.get(name) or "" for name in texts})


def texts(value: str | Iterable[str]) -> tuple[str, ...]:
    """The texts of an attribute that is one text or several."""
    return (value,) if isinstance(value, str) else tuple(value)


def consents(item: Item) -> tuple[Consent, ...]:
    """The patient's consents in the item of `consents_key`, in the order of their ids.

    A direction or category that the import does not write counts as the one that discloses least.
    """
    found = {name: value for name, value in item.items() if name.startswith(CONSENT)}
    return tuple(
        _consent(name.removeprefix(CONSENT), value) for name, value in sorted(found.items())
    )


def _consent(consent_id: str, value: Item) -> Consent:
    direction = value.get("direction")
    permits = direction == Direction.PERMIT
    known = value.get("sensitivity") in set(Sensitivity)
    return Consent(
        consent_id=consent_id,
        direction=Direction.PERMIT if permits and known else Direction.DENY,
        sensitivity=Sensitivity(value["sensitivity"]) if known else Sensitivity.ALL,
        provider_id=value.get("provider_id") or "",
        valid_from=value.get("valid_from") or "",
        valid_until=value.get("valid_until") or "",
        evidence=value.get("evidence") or "",
    )
