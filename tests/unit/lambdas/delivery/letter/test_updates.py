"""A notice that waited shows each detail as the newest event gives it."""

from dataclasses import replace

from lambdas.common.contracts.message.patient import Patient
from lambdas.common.contracts.message.person import Name
from lambdas.common.contracts.message.practitioner import Practitioner, PractitionerRole
from lambdas.common.contracts.message.visit import CodedText, Location, Visit
from lambdas.delivery.letter.updates import updated
from tests.unit.lambdas.delivery.letter.letters import ADMISSION

ORTIZ = Practitioner(PractitionerRole.ATTENDING, name=Name(family="Ortiz"))
SPARSE = replace(
    ADMISSION,
    event_id="u" * 32,
    occurred_at="2026-11-23T13:13:00+00:00",
    patient=Patient(),
    visit=Visit(),
    practitioners=(),
    diagnoses=(),
)


def test_an_update_that_gives_one_detail_leaves_all_others() -> None:
    newest = updated(ADMISSION, [replace(SPARSE, practitioners=(ORTIZ,))])
    assert newest.practitioners == (ORTIZ, ADMISSION.practitioners[1])
    assert replace(newest, practitioners=ADMISSION.practitioners) == ADMISSION


def test_of_several_updates_each_detail_is_the_newest_that_was_given() -> None:
    moved = replace(SPARSE, visit=Visit(location=Location(unit="7N"), reason=CodedText(text="a")))
    named = replace(SPARSE, visit=Visit(reason=CodedText(text="b")), diagnoses=(CodedText("I10"),))
    visit = updated(ADMISSION, [moved, named]).visit
    assert (visit.location.unit, visit.reason.text) == ("7N", "b")
    assert visit.admitted_at == ADMISSION.visit.admitted_at


def test_the_event_that_is_told_stays_the_first_one() -> None:
    newest = updated(ADMISSION, [SPARSE])
    assert (newest.event_id, newest.occurred_at) == (ADMISSION.event_id, ADMISSION.occurred_at)
