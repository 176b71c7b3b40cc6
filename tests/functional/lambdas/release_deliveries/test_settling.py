"""An admission and the updates behind it are one notice, whatever dies or comes in between."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lambdas.common.audit import chain
from lambdas.common.clock import iso
from lambdas.common.contracts.encounters.encounter import Audience, Change, Notice
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.common.contracts.message.person import Name
from lambdas.common.contracts.message.practitioner import Practitioner, PractitionerRole
from lambdas.common.contracts.message.visit import CodedText
from lambdas.common.errors import DependencyUnavailableError
from lambdas.delivery import delivery
from lambdas.delivery.context import DeliveryContext
from lambdas.delivery.decisions import cancellation, holds
from lambdas.delivery.ledger.deliveries import due, transitions
from lambdas.delivery.mail import mailer
from tests.functional.lambdas.deliver_notification.stay import (
    LATER_TODAY,
    delivered,
    event,
    looked_up,
    registry,
)
from tests.functional.lambdas.deliver_notification.world import sent_mails
from tests.functional.lambdas.release_deliveries.world import due_now, release, states
from tests.support.interruptions import CallPoint, Death, each_point

__all__ = ["registry"]
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")

ORTIZ = Practitioner(PractitionerRole.ATTENDING, name=Name(family="Ortiz", given="Juan"))
ADMITTED, UPDATED = (f"{number:032x}" for number in (1, 2))


def stay_event(number: int, *notices: Notice, **facts: Any) -> PatientEvent:
    """An event of the one stay with these notices."""
    one = event(number, notices[0].kind)
    assert one.decision is not None
    return replace(one, decision=replace(one.decision, notices=notices), **facts)


def admission() -> PatientEvent:
    """An admission that names no attending doctor and no diagnosis yet; its notice waits."""
    notice = Notice(kind=EventKind.ADMISSION, audience=Audience.TEAM, settle_until=LATER_TODAY)
    return stay_event(1, notice, practitioners=(), diagnoses=())


def update(number: int = 2, about: tuple[str, ...] = (ADMITTED,), **facts: Any) -> PatientEvent:
    """An update of the admission, as the rules decide it: told, and the event for those who were not."""
    changes = (Change.ATTENDING,)
    notices = (
        Notice(
            kind=EventKind.UPDATE,
            audience=Audience.TOLD,
            about=about,
            changes=changes,
            settle_until=LATER_TODAY if number > 2 else "",
        ),
        Notice(kind=EventKind.ADMISSION, audience=Audience.UNTOLD, about=about, changes=changes),
    )
    return stay_event(number, *notices, **{"practitioners": (ORTIZ,), "diagnoses": (), **facts})


def withdrawal(kind: EventKind, *others: Notice) -> PatientEvent:
    """A withdrawal of the admission."""
    return stay_event(
        3, Notice(kind=kind, audience=Audience.TOLD, about=(ADMITTED, UPDATED)), *others
    )


def told(context: DeliveryContext, patient_event: PatientEvent) -> list[str]:
    """The outcomes of the deliveries that the event asks for."""
    return delivered(context, looked_up(context, patient_event))


def texts() -> list[str]:
    """The plain texts of all mails, subjects first."""
    bodies = [(mail["Subject"], mail.get_body(("plain",))) for mail in sent_mails()]
    return [f"{subject}\n{body.get_content() if body else ''}" for subject, body in bodies]


def audited(context: DeliveryContext, event_id: str, step: str) -> list[dict[str, Any]]:
    """A step's entries in an event's audit chain."""
    return [entry for entry in chain.entries(context, event_id) if entry["step"] == step]


def actions(context: DeliveryContext, event_id: str) -> list[str]:
    """The actions of the deliveries in an event's audit chain."""
    return [entry["action"] for entry in audited(context, event_id, "DeliverNotification")]


@pytest.fixture(autouse=True)
def team(registry: Callable[..., None]) -> None:
    """One provider in the patient's care."""
    registry("petra")


def test_an_admission_and_its_update_are_one_notice_with_the_newest_facts(
    context: DeliveryContext,
) -> None:
    assert told(context, admission()) == ["held"]
    assert told(context, update(visit=replace(admission().visit, reason=CodedText()))) == []
    assert release(context) == {"due": 0}
    due_now()
    assert release(context) == {"due": 1, "sent": 1}
    (text,) = texts()
    assert "Hospital admission" in text
    assert "Ortiz" in text
    assert "shortness of breath" in text
    assert actions(context, ADMITTED) == ["HELD", "SENT"]
    assert audited(context, ADMITTED, "DeliverNotification")[-1]["about"] == [UPDATED]


def test_the_audit_of_the_update_says_that_the_first_notice_will_show_it(
    context: DeliveryContext,
) -> None:
    told(context, admission())
    looked_up(context, update())
    entry = audited(context, UPDATED, "LookupIdentities")[-1]
    assert entry["action"] == "NO_RECIPIENT"
    assert "HELD_FOR_UPDATE" in [one["reason"] for one in entry["considered"]]


def test_an_update_after_the_release_is_told_as_an_update(context: DeliveryContext) -> None:
    told(context, admission())
    due_now()
    release(context)
    assert told(context, update()) == ["sent"]
    first, second = texts()
    assert "Ortiz" not in first
    assert "Ortiz" in second


def test_a_replay_of_an_update_that_a_letter_showed_tells_nobody(context: DeliveryContext) -> None:
    told(context, admission())
    told(context, update())
    due_now()
    release(context)
    assert told(context, update()) == []
    assert told(context, admission()) == ["sent"]
    assert len(sent_mails()) == 1


def test_two_updates_in_a_row_are_one(context: DeliveryContext) -> None:
    told(context, admission())
    due_now()
    release(context)
    held = update(3)
    assert told(context, held) == ["held"]
    about = (ADMITTED, held.event_id)
    diagnosis = (CodedText("I26.99", "Other pulmonary embolism", "I10", "A"),)
    assert told(context, update(4, about, diagnoses=diagnosis)) == []
    due_now()
    release(context)
    _, last = texts()
    assert "Ortiz" in last
    assert "embolism" in last


@pytest.mark.parametrize("kind", [EventKind.CANCEL_ADMISSION, EventKind.CORRECTION])
def test_a_notice_that_is_withdrawn_while_it_waits_is_never_sent_and_neither_is_the_withdrawal(
    context: DeliveryContext, kind: EventKind
) -> None:
    told(context, admission())
    told(context, update())
    assert told(context, withdrawal(kind)) == []
    due_now()
    assert release(context) == {"due": 1, "suppressed": 1}
    assert sent_mails() == []
    assert actions(context, ADMITTED) == ["HELD", "SUPPRESSED"]


def test_a_stay_that_turns_out_to_be_observation_while_the_admission_waits_is_told_as_such(
    context: DeliveryContext,
) -> None:
    told(context, admission())
    observation = Notice(
        kind=EventKind.OBSERVATION, audience=Audience.UNTOLD, about=(ADMITTED, UPDATED)
    )
    assert told(context, withdrawal(EventKind.CORRECTION, observation)) == ["sent"]
    due_now()
    release(context)
    assert [text.split(":")[0] for text in texts()] == ["Hospital observation"]


def test_a_provider_who_came_while_the_notice_waits_gets_the_event_and_nobody_gets_it_twice(
    context: DeliveryContext, registry: Any
) -> None:
    told(context, admission())
    registry("petra", "wei")
    assert told(context, update()) == ["sent"]
    due_now()
    release(context)
    assert sorted(mail["To"] for mail in sent_mails()) == [
        "petra@clinic.example",
        "wei@clinic.example",
    ]


def test_quiet_hours_that_began_meanwhile_hold_the_notice_on(
    context: DeliveryContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(context, admission())
    due_now()
    morning = iso(datetime.now(UTC) + timedelta(hours=7))
    with monkeypatch.context() as night:
        night.setattr(holds, "own_hours", lambda *_: ("quiet", morning))
        assert release(context) == {"due": 1, "held": 1}
    assert told(context, update()) == []
    due_now()
    release(context)
    (text,) = texts()
    assert "Ortiz" in text


EACH_POINT = each_point(
    (cancellation, "enlist"),
    (delivery, "with_updates"),
    (mailer, "store"),
    (transitions, "claim"),
    (delivery, "why_suppressed"),
    (transitions, "begin_sending"),
    (mailer, "send"),
    (transitions, "confirm"),
)


@EACH_POINT
def test_whenever_an_update_comes_its_detail_is_told_exactly_once(
    context: DeliveryContext, monkeypatch: pytest.MonkeyPatch, point: CallPoint
) -> None:
    told(context, admission())
    due_now()
    point.lets(monkeypatch, lambda: told(context, update()))
    release(context)
    due_now()
    release(context)
    assert sum("Ortiz" in text for text in texts()) == 1
    assert sum(text.startswith("Hospital admission") for text in texts()) == 1


@EACH_POINT
def test_a_death_of_the_release_loses_no_update_and_sends_no_second_admission(
    context: DeliveryContext, monkeypatch: pytest.MonkeyPatch, point: CallPoint
) -> None:
    monkeypatch.setattr(transitions, "LEASE_MS", -1)
    monkeypatch.setattr(transitions, "TAKE_UP_AFTER", -due.TAKE_UP_AFTER)
    told(context, admission())
    due_now()
    with monkeypatch.context() as crash:
        point.kills(crash)
        with pytest.raises(Death):
            release(context)
    told(context, update())
    for _ in range(2):
        release(context)
    told(context, update())
    doubtful = states().get("unknown", 0)
    assert sum(text.startswith("Hospital admission") for text in texts()) <= 1
    assert sum("Ortiz" in text for text in texts()) >= 1
    assert doubtful or sum(text.startswith("Hospital admission") for text in texts()) == 1


@EACH_POINT
def test_whenever_a_withdrawal_comes_both_are_told_or_neither(
    context: DeliveryContext, monkeypatch: pytest.MonkeyPatch, point: CallPoint
) -> None:
    told(context, admission())
    due_now()
    again: list[dict[str, Any]] = []

    def withdrawn() -> None:
        task = looked_up(context, withdrawal(EventKind.CANCEL_ADMISSION))
        try:
            delivered(context, task)
        except DependencyUnavailableError:
            again.append(task)

    point.lets(monkeypatch, withdrawn)
    release(context)
    for task in again:
        delivered(context, task)
    subjects = [text.split(":")[0] for text in texts()]
    assert subjects in ([], ["Hospital admission", "Admission cancelled"])
