"""Doctors of one practice who share a mail address get one mail, where it would be the same mail."""

from dataclasses import replace
from typing import Any

import pytest

from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.common.contracts.message.person import Name
from lambdas.common.contracts.recipients.identities import Identities
from lambdas.common.contracts.recipients.preferences import CostMode, DetailLevel
from lambdas.common.contracts.recipients.recipient import FirstNotice, Recipient, RecipientReason
from lambdas.lookup_identities.care_team.shared_mailboxes import one_mail_each

KEANE = Recipient(
    "k1.keane",
    (RecipientReason.PRIMARY_CARE,),
    provider_id="dr-keane",
    name=Name("Keane", "Carla"),
    address="inbox@practice.example",
)
TWO = replace(
    KEANE,
    recipient_ref="k1.two",
    reasons=(RecipientReason.CARE_TEAM,),
    provider_id="dr-two",
    name=Name("Two", "Bob"),
)


def mails(*recipients: Recipient) -> list[list[str]]:
    """The references of those whom each mail tells."""
    found = one_mail_each(Identities("k1.patient", recipients=recipients)).recipients
    return [[one.recipient_ref for one in mail.addressees] for mail in found]


def test_two_doctors_with_one_address_get_one_mail_that_names_both_with_their_reasons() -> None:
    (mail,) = one_mail_each(Identities("k1.patient", recipients=(KEANE, TWO))).recipients
    assert mail.recipient_ref == KEANE.recipient_ref
    assert [(one.name.display(), one.reasons) for one in mail.addressees] == [
        ("Carla Keane", (RecipientReason.PRIMARY_CARE,)),
        ("Bob Two", (RecipientReason.CARE_TEAM,)),
    ]


def test_the_same_address_in_capitals_is_the_same_mailbox() -> None:
    assert mails(KEANE, replace(TWO, address="Inbox@Practice.example")) == [["k1.keane", "k1.two"]]


def test_doctors_with_addresses_of_their_own_get_mails_of_their_own() -> None:
    assert mails(KEANE, replace(TWO, address="two@practice.example")) == [["k1.keane"], ["k1.two"]]


@pytest.mark.parametrize(
    "other",
    [
        {"language": "fr-CA"},
        {"detail": DetailLevel.MINIMAL},
        {"detail": DetailLevel.SMIME},
        {"certificate": "another"},
        {"analysis": CostMode.OFF},
        {"bundle": True},
        {"digest_at": "07:00"},
        {"quiet": "22:00-06:00"},
        {"roster_until": "2026-12-01"},
        {"fallback_ref": "k1.fallback"},
        {"event_kind": EventKind.UPDATE},
        {"cancels": FirstNotice("e", "d", "2026-11-26T10:00:00.000Z")},
    ],
)
def test_doctors_who_would_get_different_mails_do_not_share_one(other: dict[str, Any]) -> None:
    assert mails(KEANE, replace(TWO, **other)) == [["k1.keane"], ["k1.two"]]


def test_a_fallback_who_shares_a_mail_is_told_by_that_mail() -> None:
    away = replace(
        KEANE, recipient_ref="k1.away", address="away@practice.example", fallback_ref="k1.two"
    )
    found = one_mail_each(Identities("k1.patient", recipients=(away, KEANE, TWO))).recipients
    assert [(one.recipient_ref, one.fallback_ref) for one in found] == [
        ("k1.away", "k1.keane"),
        ("k1.keane", ""),
    ]
