"""The head of a letter: late, what holds now, new details, flags; and times that cannot be right."""

from dataclasses import replace
from typing import Any

import pytest

from lambdas.common.contracts.encounters.encounter import (
    Audience,
    Change,
    Decision,
    EncounterClass,
    Facts,
    Notice,
    Phase,
)
from lambdas.common.contracts.encounters.stay_flags import EarlierStay, FlagKind, StayFlag
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.event_kind import CANCELS, EventKind
from lambdas.common.contracts.message.visit import CodedText
from lambdas.common.contracts.recipients.preferences import DetailLevel
from lambdas.common.contracts.recipients.recipient import FirstNotice
from lambdas.delivery.letter.letter import compose
from lambdas.delivery.letter.remarks import flag_sentences
from lambdas.delivery.letter.told import Told
from lambdas.delivery.letter.words.locale import LANGUAGES, words_in
from lambdas.delivery.letter.words.wording import notice_of
from tests.unit.lambdas.delivery.letter.letters import NOTHING, RECIPIENT, SENDER, of_kind

RECEIVED_AT = "2026-11-23T13:12:04.000Z"
STAY = "5e5e5e5e" + "0" * 24
EARLIER = EarlierStay(
    encounter_id="e1",
    sender="stmary",
    hospital="St Mary Hospital",
    encounter_class=EncounterClass.INPATIENT,
    began_at="2026-11-01T12:00:00.000Z",
    ended_at="2026-11-05T03:00:00.000Z",
    discharged_to="Cedar Court",
)


def decided(
    kind: str, *, phase: Phase = Phase.IN, classes: Any = (), **notice: Any
) -> PatientEvent:
    """An event of this kind with its decision."""
    event = of_kind(kind)
    told = Notice(kind=EventKind(kind), audience=Audience.TEAM, **notice)
    return replace(
        event,
        decision=Decision(
            event_id=event.event_id,
            trigger_event="",
            decided_at=RECEIVED_AT,
            encounter_id=STAY,
            phase=phase,
            classes=classes,
            facts=Facts(encounter_class=classes[-1] if classes else EncounterClass.UNKNOWN),
            notices=(told,),
        ),
    )


def text(event: PatientEvent, language: str = "en", detail: str = "full", **around: Any) -> str:
    """The letter's plain text."""
    first = around.pop("first", None)
    reader = replace(RECIPIENT, language=language, cancels=first, stay_ref=STAY)
    told = Told(event, NOTHING, RECEIVED_AT, **around)
    return compose(told, reader, SENDER, detail=DetailLevel(detail)).text


@pytest.mark.parametrize("detail", ["full", "minimal"])
def test_an_event_that_came_late_says_so_with_the_days_and_the_time_of_receipt(detail: str) -> None:
    event = decided("ed_registration", late=True, at="2026-11-17T13:12:00.000Z")
    said = "Received late: the hospital's message came 6 days after the event, on 23 November 2026"
    assert said in text(event, detail=detail)
    assert "late" not in text(decided("ed_registration", at=RECEIVED_AT), detail=detail)


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_notices_of_a_stay_name_the_same_stay(language: str) -> None:
    said = {"en": "Stay 5E5E5E5E", "fr-CA": "Séjour 5E5E5E5E"}[language]
    for kind in ("admission", "update", "discharge", "cancel_admission"):
        for detail in ("full", "minimal"):
            assert said in text(decided(kind), language, detail)


def test_a_withdrawal_says_what_is_withdrawn_when_it_was_told_and_what_holds_now() -> None:
    first = FirstNotice(STAY, "d", "2026-11-23T10:00:00.000Z", EventKind.DISCHARGE)
    event = decided("cancel_discharge", classes=(EncounterClass.INPATIENT,))
    said = text(event, first=first)
    assert (
        "First notice: Hospital discharge, reference 5E5E5E5E, sent 23 November 2026, 06:00" in said
    )
    assert "Now, by the hospital's record: the patient is an inpatient." in said


@pytest.mark.parametrize(
    ("phase", "classes", "said"),
    [
        (Phase.CANCELLED, (), "there is no such stay"),
        (Phase.IN, (EncounterClass.EMERGENCY,), "is in the emergency department"),
        (Phase.LEFT, (EncounterClass.INPATIENT,), "has left the hospital"),
        (Phase.IN, (EncounterClass.OUTPATIENT,), "is an outpatient"),
    ],
)
def test_the_state_after_a_withdrawal_is_that_of_the_stay(
    phase: Phase, classes: Any, said: str
) -> None:
    assert said in text(decided("cancel_admission", phase=phase, classes=classes))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", CANCELS)
def test_every_state_after_a_withdrawal_has_words_in_every_language(
    kind: str, language: str
) -> None:
    for state in (*Phase, *EncounterClass):
        if state in (Phase.IN, Phase.SEEN, Phase.PLANNED, Phase.CLOSED, EncounterClass.UNKNOWN):
            continue
        assert words_in(language).now.get(state)
    assert set(words_in(language).changes.names()) == set(Change) - {Change.CLASS, Change.PATIENT}
    assert set(words_in(language).flags.names()) == set(FlagKind)


def test_a_corrected_class_and_a_wrong_patient_have_words_of_their_own() -> None:
    no_inpatient = decided(
        "correction", classes=(EncounterClass.OBSERVATION,), changes=(Change.CLASS,)
    )
    assert "Amaka Okonjo is not an inpatient: the hospital corrected its record." in text(
        no_inpatient
    )
    assert "in hospital for observation, without an admission" in text(no_inpatient)
    wrong = decided("correction", classes=(EncounterClass.INPATIENT,), changes=(Change.PATIENT,))
    assert "recorded the stay of somebody else" in text(wrong)
    assert "Now, by" not in text(wrong)


def test_a_discharge_from_the_emergency_department_into_a_bed_says_so() -> None:
    event = decided("ed_discharge")
    event = replace(event, visit=replace(event.visit, disposition=CodedText("09")))
    assert "Amaka Okonjo left the emergency department: admitted here." in text(event)
    assert "Plan the follow-up" not in text(event)
    assert notice_of(event) == "ed_admitted"


def test_an_admission_from_the_emergency_department_of_the_same_stay_says_so() -> None:
    classes = (EncounterClass.EMERGENCY, EncounterClass.INPATIENT)
    assert "Left the emergency department: admitted here." in text(
        decided("admission", classes=classes)
    )
    assert "Left the" not in text(decided("admission", classes=classes[1:]))


def test_an_update_names_the_new_details() -> None:
    changes = (Change.ATTENDING, Change.DIAGNOSIS)
    assert "New: treating practitioner, diagnosis." in text(decided("update", changes=changes))


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        (
            StayFlag(kind=FlagKind.READMISSION, stays=(EARLIER,)),
            "Readmission within 30 days: last discharge St Mary Hospital, 4 November 2026.",
        ),
        (
            StayFlag(kind=FlagKind.FREQUENT_EMERGENCY, stays=(EARLIER, EARLIER), count=3),
            "Frequent emergency visits: 3 in 60 days. Earlier: St Mary Hospital, 1 November 2026; St",
        ),
        (
            StayFlag(kind=FlagKind.RECENT_POST_ACUTE, stays=(EARLIER,)),
            "Recently discharged to post-acute care (Cedar Court): St Mary Hospital, 4 November",
        ),
        (
            StayFlag(kind=FlagKind.TRANSFERRED_FROM, stays=(replace(EARLIER, hospital=""),)),
            "Came from another hospital: another hospital, 4 November 2026.",
        ),
    ],
)
def test_a_flag_is_in_the_head_with_the_stays_that_it_rests_on(flag: StayFlag, said: str) -> None:
    full = text(decided("admission"), flags=(flag,))
    assert said in full
    assert full.index(said) < full.index("Patient:")
    assert "St Mary" not in text(decided("admission"), detail="minimal", flags=(flag,))


def test_a_flag_of_an_earlier_stay_does_not_name_a_sensitive_place_of_discharge() -> None:
    stay = replace(EARLIER, discharged_to="Lakeside Psychiatric Hospital")
    flag = StayFlag(kind=FlagKind.RECENT_POST_ACUTE, stays=(stay,))
    (said,) = flag_sentences([flag], None, words_in("en"))
    assert "St Mary Hospital" in said
    assert "Lakeside" not in said


@pytest.mark.parametrize("moment", ["2031-01-01T00:00:00-04:00", "1957-01-01", "1970-01-01T00:00"])
def test_a_time_that_cannot_be_right_is_said_and_not_told(moment: str) -> None:
    event = decided("admission", at="2026-11-23T13:00:00.000Z")
    wrong = replace(event, occurred_at=moment, visit=replace(event.visit, admitted_at=moment))
    said = text(wrong)
    assert "A time in the hospital's message cannot be right and is left out." in said
    assert moment[:4] not in said
    assert "Admitted: 23 November 2026, 09:00 (America/Halifax time)" in said
    assert "cannot be right" not in text(event)
