from dataclasses import replace
from typing import Any

import pytest

from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.common.contracts.message.person import Name
from lambdas.common.contracts.message.practitioner import PractitionerRole
from lambdas.common.contracts.recipients.preferences import DetailLevel
from lambdas.common.contracts.recipients.recipient import (
    Considered,
    Recipient,
    RecipientReason,
    RefusalReason,
    RelationshipType,
)
from lambdas.lookup_identities.care_team.named_providers import Named
from lambdas.lookup_identities.care_team.preferences import NotificationSubject
from lambdas.lookup_identities.care_team.recipients import CareTeam, choose
from lambdas.registry.records import (
    Absence,
    EventFilter,
    Preferences,
    Provider,
    Relationship,
)

PRIMARY_CARE = RelationshipType.PRIMARY_CARE
ADDRESS = "petra@clinic.example"
TODAY = NotificationSubject(EventKind.ADMISSION, "I", ("northgen", "NORTHGEN", "4W"), "2026-11-23")


def provider(
    provider_id: str = "dr-l", address: str = ADDRESS, active: bool = True, **chosen: Any
) -> Provider:
    name = Name("Lindqvist", "Petra")
    absence = Absence(**{k: v for k, v in chosen.items() if k in Absence.__slots__})
    events = EventFilter(**{k: v for k, v in chosen.items() if k in EventFilter.__slots__})
    return Provider(provider_id, name, "", address, active, event_filter=events, absence=absence)


def related(
    provider_id: str = "dr-l", *types: RelationshipType, active: bool = True
) -> Relationship:
    return Relationship(provider_id, types or (PRIMARY_CARE,), active)


def chosen(
    relationships: list[Relationship],
    providers: list[Provider],
    named: list[Named] | None = None,
    event: NotificationSubject = TODAY,
) -> tuple[tuple[Recipient, ...], tuple[Considered, ...]]:
    by_id = {known.provider_id: known for known in providers}
    team = CareTeam(relationships, by_id, named or [], event)
    return choose(team, lambda provider_id: f"ref-{provider_id}")


def test_an_active_relationship_with_an_active_provider_who_has_an_address_makes_a_recipient() -> (
    None
):
    recipients, considered = chosen([related()], [provider()])
    assert recipients == (
        Recipient(
            "ref-dr-l",
            (RecipientReason.PRIMARY_CARE,),
            "email",
            "dr-l",
            Name("Lindqvist", "Petra"),
            ADDRESS,
        ),
    )
    assert not considered


def test_one_person_in_two_roles_is_told_once_with_both_reasons() -> None:
    named = [
        Named("dr-l", PractitionerRole.ATTENDING),
        Named("dr-l", PractitionerRole.PRIMARY_CARE),
    ]
    recipients, _ = chosen(
        [related("dr-l", RelationshipType.SUBSCRIBER, PRIMARY_CARE)], [provider()], named
    )
    assert [told.reasons for told in recipients] == [
        (
            RecipientReason.PRIMARY_CARE,
            RecipientReason.SUBSCRIBER,
            RecipientReason.ATTENDING,
        )
    ]


def test_a_provider_named_in_the_message_alone_is_considered_and_not_told() -> None:
    recipients, considered = chosen(
        [],
        [],
        [Named("dr-x", PractitionerRole.ATTENDING), Named("dr-x", PractitionerRole.ADMITTING)],
    )
    assert not recipients
    assert considered == (
        Considered("ref-dr-x", RecipientReason.ATTENDING, RefusalReason.NO_RECIPIENT),
    )


def test_each_refusal_has_its_reason() -> None:
    relationships = [
        related("a", active=False),
        related("b"),
        related("c"),
        related("d"),
        related("e"),
    ]
    providers = [
        provider("a"),
        provider("b", active=False),
        provider("c", address=""),
        provider("d", address="call the front desk"),
    ]
    recipients, considered = chosen(relationships, providers)
    assert not recipients
    assert [(refused.recipient_ref, refused.reason) for refused in considered] == [
        ("ref-a", "RECIPIENT_OFF"),
        ("ref-b", "RECIPIENT_OFF"),
        ("ref-c", "NO_ENDPOINT"),
        ("ref-d", "ENDPOINT_BAD"),
        ("ref-e", "NO_ENDPOINT"),
    ]


def test_two_addresses_in_one_cell_are_not_an_address() -> None:
    for text in (
        "a@b.example, c@d.example",
        "Petra <a@b.example>",
        "a@b.example\nBcc: c@d.example",
    ):
        assert not chosen([related()], [provider(address=text)])[0]


def test_the_order_is_the_same_whatever_the_registry_answers_first() -> None:
    providers = [provider("b"), provider("a")]
    forwards, _ = chosen([related("a"), related("b")], providers)
    backwards, _ = chosen([related("b"), related("a")], providers)
    assert forwards == backwards


@pytest.mark.parametrize(
    ("choices", "refusal"),
    [
        ({"notify": False}, "RECIPIENT_OFF"),
        ({"event_kinds": ("discharge",)}, "RECIPIENT_FILTER"),
        ({"event_kinds": ("admission", "discharge")}, ""),
        ({"patient_classes": ("E",)}, "RECIPIENT_FILTER"),
        ({"patient_classes": ("E", "I")}, ""),
        ({"facilities": ("SOUTHGEN",)}, "RECIPIENT_FILTER"),
        ({"facilities": ("NorthGen",)}, ""),
    ],
)
def test_a_recipient_is_told_of_what_they_chose_and_the_rest_is_considered(
    choices: dict[str, Any], refusal: str
) -> None:
    recipients, considered = chosen([related()], [provider(**choices)])
    assert [weighed.reason for weighed in considered] == ([refusal] if refusal else [])
    assert len(recipients) == (0 if refusal else 1)


def test_a_filter_never_holds_back_what_the_event_does_not_say_nor_that_it_is_cancelled() -> None:
    filtered = provider(
        patient_classes=("E",), facilities=("SOUTHGEN",), event_kinds=(EventKind.DISCHARGE,)
    )
    unsaid = NotificationSubject(EventKind.DISCHARGE, "", (), "2026-11-23")
    assert chosen([related()], [filtered], event=unsaid)[0]
    cancelled = replace(unsaid, event_kind=EventKind.CANCEL_ADMISSION)
    assert chosen([related()], [filtered], event=cancelled)[0]


AWAY: dict[str, Any] = {"surrogate": "dr-s", "away_from": "2026-11-20", "away_until": "2026-11-23"}


def test_a_surrogate_is_told_instead_of_a_provider_who_is_away() -> None:
    recipients, considered = chosen([related()], [provider(**AWAY), provider("dr-s")])
    assert [(told.recipient_ref, told.reasons) for told in recipients] == [
        ("ref-dr-s", ("primary_care", "surrogate"))
    ]
    assert considered == (Considered("ref-dr-l", RecipientReason.PRIMARY_CARE, RefusalReason.AWAY),)


def test_the_provider_is_told_again_the_day_after() -> None:
    back = replace(TODAY, today="2026-11-24")
    recipients, _ = chosen([related()], [provider(**AWAY), provider("dr-s")], event=back)
    assert [told.recipient_ref for told in recipients] == ["ref-dr-l"]


@pytest.mark.parametrize(
    "other",
    [
        None,
        provider("dr-s", active=False),
        provider("dr-s", ""),
        provider("dr-s", **{**AWAY, "surrogate": "dr-l"}),
    ],
)
def test_a_surrogate_who_cannot_be_told_leaves_it_with_the_provider(other: Provider | None) -> None:
    providers = [provider(**AWAY), *([other] if other else [])]
    assert [told.recipient_ref for told in chosen([related()], providers)[0]] == ["ref-dr-l"]


def test_a_surrogate_who_cares_for_the_patient_too_is_told_once() -> None:
    recipients, considered = chosen(
        [related(), related("dr-s", RelationshipType.CARE_TEAM)],
        [provider(**AWAY), provider("dr-s")],
    )
    assert [told.reasons for told in recipients] == [("primary_care", "care_team", "surrogate")]
    assert [weighed.reason for weighed in considered] == ["AWAY"]


def test_a_roster_makes_a_recipient_until_its_last_day_who_is_told_of_it() -> None:
    on_roster = Relationship("dr-l", (), True, "2026-11-23")
    recipients, _ = chosen([on_roster], [provider()])
    assert [(told.reasons, told.roster_until) for told in recipients] == [
        (("subscriber",), "2026-11-23")
    ]
    tomorrow = replace(TODAY, today="2026-11-24")
    recipients, considered = chosen([on_roster], [provider()], event=tomorrow)
    assert not recipients
    assert considered == (
        Considered("ref-dr-l", RecipientReason.SUBSCRIBER, RefusalReason.ROSTER_EXPIRED),
    )


@pytest.mark.parametrize(
    ("relationship", "said"),
    [
        (Relationship("dr-l", (), True, "2026-12-07"), "2026-12-07"),
        (Relationship("dr-l", (), True, "2026-12-08"), ""),
        (Relationship("dr-l", (PRIMARY_CARE,), True, "2026-11-24"), ""),
        (Relationship("dr-l", (PRIMARY_CARE,), False, "2026-11-24"), "2026-11-24"),
    ],
    ids=["in two weeks", "later", "related besides", "no longer related besides"],
)
def test_a_recipient_carries_the_last_day_of_a_roster_that_ends_soon_and_is_all_there_is(
    relationship: Relationship, said: str
) -> None:
    named = [Named("dr-l", PractitionerRole.ATTENDING)]
    (told,), _ = chosen([relationship], [provider()], named)
    assert told.roster_until == said


def test_an_expired_roster_takes_nothing_from_another_reason() -> None:
    expired = Relationship("dr-l", (PRIMARY_CARE,), True, "2026-01-01")
    recipients, considered = chosen([expired], [provider()])
    assert [(told.reasons, told.roster_until) for told in recipients] == [(("primary_care",), "")]
    assert not considered


def test_how_a_recipient_wants_to_be_told_goes_with_them() -> None:
    quiet = replace(
        provider(), preferences=Preferences(detail=DetailLevel.MINIMAL, language="fr-CA")
    )
    (told,), _ = chosen([related()], [quiet])
    assert (told.detail, told.language, told.certificate) == ("minimal", "fr-CA", "")
