"""Flags of a patient's encounters at all senders: readmission, frequent emergency visits, post-acute care.

Pure. A flag names the stays that it rests on, so that a letter can give the facts. A protected stay is
no part of one: its letter would disclose it.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from lambdas.common.contracts.encounters.encounter import EncounterClass, Phase
from lambdas.common.contracts.encounters.stay_flags import EarlierStay, FlagKind, StayFlag
from lambdas.encounters.items import EncounterSummary

READMISSION = timedelta(days=30)
"""CMS counts an admission within 30 days of a discharge (Hospital Readmissions Reduction Program)."""

FREQUENT_PERIOD, FREQUENT_VISITS = timedelta(days=60), 3
"""The high utiliser of commercial services: three emergency visits in 60 days."""

POST_ACUTE_PERIOD = timedelta(days=30)

HAND_OVER = timedelta(hours=24)
"""An admission elsewhere so soon after a discharge is a transfer to another hospital, no readmission."""

POST_ACUTE = frozenset({"03", "06", "61", "62", "63", "64"})
"""NUBC discharge status: skilled nursing, home health, swing bed, rehabilitation, long-term care, nursing."""


def flags(present: EncounterSummary, others: Iterable[EncounterSummary]) -> tuple[StayFlag, ...]:
    """The flags of an encounter; the patient's cancelled and protected encounters do not count."""
    if not present.began_at:
        return ()
    earlier = sorted(
        (
            one
            for one in others
            if one.encounter_id != present.encounter_id
            and one.phase is not Phase.CANCELLED
            and not one.protected
            and one.began_at <= present.began_at
        ),
        key=lambda one: one.began_at,
    )
    found = (
        _handed_over(present, earlier) or _readmission(present, earlier),
        _frequent(present, earlier),
        _post_acute(present, earlier),
    )
    return tuple(flag for flag in found if flag)


def _handed_over(present: EncounterSummary, earlier: list[EncounterSummary]) -> StayFlag | None:
    """The discharge from another facility within a day before this encounter began."""
    for one in reversed(earlier):
        elsewhere = (one.sender, one.facility) != (present.sender, present.facility)
        if elsewhere and _inpatient(one) and _within(one.ended_at, present.began_at, HAND_OVER):
            return StayFlag(kind=FlagKind.TRANSFERRED_FROM, stays=(_told(one),))
    return None


def _readmission(present: EncounterSummary, earlier: list[EncounterSummary]) -> StayFlag | None:
    """The inpatient stay that ended within 30 days before this one began."""
    for one in reversed(earlier):
        if _inpatient(one) and _within(one.ended_at, present.began_at, READMISSION):
            return StayFlag(kind=FlagKind.READMISSION, stays=(_told(one),))
    return None


def _frequent(present: EncounterSummary, earlier: list[EncounterSummary]) -> StayFlag | None:
    """Three emergency visits or more in 60 days, this one included."""
    if EncounterClass.EMERGENCY not in present.classes:
        return None
    visits = tuple(
        _told(one)
        for one in earlier
        if EncounterClass.EMERGENCY in one.classes
        and _within(one.began_at, present.began_at, FREQUENT_PERIOD)
    )
    count = len(visits) + 1
    if count < FREQUENT_VISITS:
        return None
    return StayFlag(kind=FlagKind.FREQUENT_EMERGENCY, stays=visits, count=count)


def _post_acute(present: EncounterSummary, earlier: list[EncounterSummary]) -> StayFlag | None:
    """The post-acute facility to which the patient was discharged within 30 days."""
    for one in reversed(earlier):
        led_there = one.discharged_to or one.disposition in POST_ACUTE
        if led_there and _within(one.ended_at, present.began_at, POST_ACUTE_PERIOD):
            return StayFlag(kind=FlagKind.RECENT_POST_ACUTE, stays=(_told(one),))
    return None


def _told(one: EncounterSummary) -> EarlierStay:
    return EarlierStay(
        encounter_id=one.encounter_id,
        sender=one.sender,
        facility=one.facility,
        encounter_class=one.classes[-1] if one.classes else EncounterClass.UNKNOWN,
        began_at=one.began_at,
        ended_at=one.ended_at,
        discharged_to=one.discharged_to,
    )


def _inpatient(one: EncounterSummary) -> bool:
    return bool(one.classes) and one.classes[-1] is EncounterClass.INPATIENT


def _within(moment: str, later: str, period: timedelta) -> bool:
    """Whether a moment lies at most so long before a later one; False without one."""
    if not moment:
        return False
    return timedelta() <= datetime.fromisoformat(later) - datetime.fromisoformat(moment) <= period
