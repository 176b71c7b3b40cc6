"""The recipients of each notice of a decision: the care team, those who were told, or those who were not.

The delivery ledger has the recipients who were told of an encounter. Their addresses come from the first
event's own `identities.json`: a relationship that ended or began since changes nothing.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import replace

from lambdas.common.aws import vault
from lambdas.common.contracts.encounters.encounter import Audience, Change, Decision
from lambdas.common.contracts.message.event_kind import CANCELS
from lambdas.common.contracts.recipients.identities import Identities
from lambdas.common.contracts.recipients.recipient import (
    Considered,
    FirstNotice,
    Recipient,
    RefusalReason,
)
from lambdas.delivery.ledger.encounters import NotifiedEncounter, NotifiedEvent
from lambdas.delivery.ledger.items import DeliveryItem
from lambdas.lookup_identities.care_team.earlier_notices import earlier_notices
from lambdas.lookup_identities.context import LookupContext


def of_notices(
    context: LookupContext, identities: Identities, decision: Decision, event: NotifiedEvent
) -> Identities:
    """The identities with the recipients of the decision's notices, each with the kind of their notice.

    `identities` has the care team as recipients. A cancellation or correction also suppresses what was
    not told yet. A recipient whose first notice still waits is not told of an update: that letter shows it.
    Where the stay moves to another patient, that patient's whole team is told: those who get the correction
    too have two notices.
    """
    moves = any(Change.PATIENT in notice.changes for notice in decision.notices)
    chosen: dict[tuple[str, bool], Recipient] = {}
    shown: set[str] = set()
    withdrawn: set[str] = set()
    encounter = NotifiedEncounter(decision.encounter_id)
    stay_ref = stay_of(decision.encounter_id, identities.patient_ref)
    for notice in decision.notices:
        team = identities.recipients
        earlier = earlier_notices(context, encounter, notice, event, team)
        if notice.audience is Audience.TOLD:
            found = [_again(context, item) for item in earlier.told.values()]
            withdrawn |= set(notice.about) if notice.kind in CANCELS else set()
            shown |= set() if notice.kind in CANCELS else _all_told(earlier.shown.values())
        else:
            waits = [item for item in earlier.shown.values() if item.event_id not in withdrawn]
            # The deliveries so far were about the other patient.
            known = set() if moves else _all_told((*earlier.told.values(), *waits))
            found = [one for one in team if one.recipient_ref not in known]
        corrected = _addressees(one for one in chosen.values() if one.other_patient)
        for recipient in filter(None, found):
            second = recipient.recipient_ref in corrected
            told = replace(
                recipient,
                event_kind=notice.kind,
                settle_until=notice.settle_until,
                stay_ref=recipient.stay_ref or stay_ref,
                other_patient=Change.PATIENT in notice.changes,
                second=second,
            )
            chosen.setdefault((recipient.recipient_ref, second), told)
    only_told = all(notice.audience is Audience.TOLD for notice in decision.notices)
    later = tuple(
        Considered(one.recipient_ref, one.reasons[0], RefusalReason.HELD_FOR_UPDATE)
        for one in identities.recipients
        if one.recipient_ref in shown - _addressees(chosen.values())
    )
    return replace(
        identities,
        recipients=tuple(chosen.values()),
        considered=later if only_told else (*identities.considered, *later),
        fallbacks=() if only_told else identities.fallbacks,
    )


def stay_of(encounter_id: str, patient_ref: str) -> str:
    """The stay id that letters show: 32 hex digits, other ones after the stay was moved to another patient."""
    parts = f"{encounter_id}|{patient_ref}"
    return hashlib.sha256(parts.encode()).hexdigest()[:32] if encounter_id else ""


def _all_told(items: Iterable[DeliveryItem]) -> set[str]:
    """The references of all recipients of these deliveries, with those who share a mail."""
    return {ref for item in items for ref in (item.recipient_ref, *item.also)}


def _addressees(recipients: Iterable[Recipient]) -> set[str]:
    """The references of all addressees of these recipients' mails."""
    return {one.recipient_ref for recipient in recipients for one in recipient.addressees}


def _again(context: LookupContext, item: DeliveryItem) -> Recipient | None:
    """The recipient as the earlier event's document has them, with that event's notice as the cancelled one."""
    first = vault.read_document(context, item.event_id, Identities, item.identities_version)
    second = item.task is not None and item.task.second
    recipient = first.recipient(item.recipient_ref, second=second)
    if recipient is None:
        return None
    told_at = item.sent_at or item.claimed_at
    notice = FirstNotice(
        item.event_id, item.delivery_id, told_at, item.event_kind, patient_ref=item.patient_ref
    )
    # The mail may have left out some of those who were chosen for it.
    also = tuple(one for one in recipient.also if one.recipient_ref in item.also)
    return replace(recipient, cancels=notice, also=also)
