"""Flags of a patient's encounters: what is a readmission, and what is not."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lambdas.common.clock import iso
from lambdas.common.contracts.encounters.encounter import EncounterClass, Phase
from lambdas.common.contracts.encounters.stay_flags import FlagKind
from lambdas.encounters.flags import flags
from lambdas.encounters.items import EncounterSummary
from tests.support.encounters import NOON, E, I


def stay(
    name: str,
    began: float,
    ended: float | None = None,
    encounter_class: EncounterClass = I,
    **attributes: Any,
) -> EncounterSummary:
    """An encounter that began and ended so many days ago."""
    return EncounterSummary(
        pk=name,
        encounter_id=name,
        sender=attributes.pop("sender", "NORTHGEN"),
        patient_ref="k1.p",
        phase=Phase.IN if ended is None else Phase.LEFT,
        began_at=iso(NOON - timedelta(days=began)),
        ended_at="" if ended is None else iso(NOON - timedelta(days=ended)),
        classes=(encounter_class,),
        facility="N",
        **attributes,
    )


NOW = stay("now", 0)


def kinds(*others: EncounterSummary, present: EncounterSummary = NOW) -> list[FlagKind]:
    return [flag.kind for flag in flags(present, others)]


def test_an_admission_within_thirty_days_of_a_discharge_is_a_readmission() -> None:
    assert kinds(stay("before", 40, 30)) == [FlagKind.READMISSION]
    assert kinds(stay("before", 40, 31)) == []


def test_a_long_stay_counts_by_its_end() -> None:
    assert kinds(stay("before", 200, 3)) == [FlagKind.READMISSION]


def test_an_emergency_visit_before_is_no_inpatient_stay() -> None:
    assert kinds(stay("before", 3, 2, E)) == []


def test_a_cancelled_stay_is_no_stay() -> None:
    assert kinds(replace(stay("before", 3, 2), phase=Phase.CANCELLED)) == []


def test_a_hand_over_to_another_hospital_is_a_transfer_and_no_readmission() -> None:
    assert kinds(stay("before", 5, 0.5, sender="STMARY")) == [FlagKind.TRANSFERRED_FROM]
    assert kinds(stay("before", 5, 0.5)) == [FlagKind.READMISSION]


@pytest.mark.parametrize(("days", "expected"), [((10, 20), 3), ((10, 61), 0), ((10, 20, 30), 4)])
def test_the_third_emergency_visit_in_sixty_days_and_each_one_after_it_is_flagged(
    days: tuple[int, ...], expected: int
) -> None:
    others = [stay(str(day), day, day - 0.2, E) for day in days]
    found = flags(stay("now", 0, None, E), others)
    assert [flag.count for flag in found] == ([expected] if expected else [])


def test_a_recent_post_acute_discharge_names_the_facility() -> None:
    before = stay("before", 9, 5, disposition="03", discharged_to="SNF77")
    found = flags(NOW, [before])
    assert [flag.kind for flag in found] == [FlagKind.READMISSION, FlagKind.RECENT_POST_ACUTE]
    (stayed,) = found[1].stays
    assert (stayed.encounter_id, stayed.discharged_to) == ("before", "SNF77")


def test_a_protected_stay_is_part_of_no_flag() -> None:
    assert kinds(replace(stay("before", 9, 5, discharged_to="SNF77"), protected=True)) == []


def test_what_comes_later_is_no_reason() -> None:
    assert kinds(NOW, present=stay("earlier", 3, 2)) == []
