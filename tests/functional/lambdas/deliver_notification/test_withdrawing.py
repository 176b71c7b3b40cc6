"""A cancelled event: told to exactly those who were told of it, and once."""

import re
from typing import Any

import pytest

from lambdas.common.audit import chain
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.common.errors import DependencyUnavailableError
from lambdas.delivery import delivery
from lambdas.delivery.context import DeliveryContext
from lambdas.delivery.ledger.deliveries import transitions
from lambdas.delivery.ledger.encounters import NotifiedEncounter, NotifiedEvent, cancel
from lambdas.delivery.mail import mailer
from tests.functional.lambdas.deliver_notification.stay import (
    delivered,
    event,
    looked_up,
    received_at,
    registry,
    run,
)
from tests.functional.lambdas.deliver_notification.world import (
    sent_ids,
    sent_mails,
)
from tests.support.interruptions import CallPoint, each_point

__all__ = ["registry"]


def test_who_was_told_is_told_of_the_cancellation_and_nobody_else(
    context: DeliveryContext, registry: Any
) -> None:
    registry("petra")
    assert run(context, event(1, EventKind.ADMISSION)) == ["petra@clinic.example"]
    registry("wei")  # Petra has left the circle of care meanwhile, Wei has come
    assert run(context, event(2, EventKind.CANCEL_ADMISSION)) == ["petra@clinic.example"]

    first, second = sent_mails()
    assert second["Subject"].startswith("Admission cancelled:")
    text = second.get_body(("plain",))
    assert text is not None
    shown = " ".join(text.get_content().split())
    assert "First notice: Hospital admission, reference 00000000, sent" in shown
    assert "You were told of the event that is withdrawn here." in shown
    assert first["To"] == second["To"] == "petra@clinic.example"


def test_the_mails_of_a_stay_are_one_thread(context: DeliveryContext, registry: Any) -> None:
    registry("petra")
    run(context, event(1, EventKind.ADMISSION))
    run(context, event(2, EventKind.TRANSFER))
    run(context, event(3, EventKind.CANCEL_ADMISSION))
    mails, ids = sent_mails(), [f"<{one}@email.amazonses.com>" for one in sent_ids()]
    references = [mail["References"].split() for mail in mails]
    (root,) = references[0]
    assert references[1] == [root, ids[0]]
    assert references[2] == [root, *ids[:2]]
    assert [mail["In-Reply-To"] for mail in mails] == [None, *ids[:2]]
    texts = [mail.get_body(("plain",)) for mail in mails]
    stays = [re.findall("Stay ([0-9A-F]{8})", text.get_content()) for text in texts if text]
    assert stays == [[root[6:14].upper()]] * 3


def test_a_cancellation_of_what_nobody_was_told_tells_nobody(
    context: DeliveryContext, registry: Any
) -> None:
    registry("petra")
    assert run(context, event(1, EventKind.CANCEL_ADMISSION)) == []
    assert run(context, event(2, EventKind.TRANSFER)) == ["petra@clinic.example"]
    assert run(context, event(3, EventKind.CANCEL_DISCHARGE)) == []
    assert run(context, event(4, EventKind.CANCEL_TRANSFER), encounter="") == []
    assert run(context, event(5, EventKind.CANCEL_TRANSFER), encounter="k1.another") == []
    assert len(sent_mails()) == 1


def test_what_was_withdrawn_is_not_withdrawn_twice(context: DeliveryContext, registry: Any) -> None:
    registry("petra")
    run(context, event(1, EventKind.ADMISSION))
    assert run(context, event(2, EventKind.CANCEL_ADMISSION)) == ["petra@clinic.example"]
    assert run(context, event(3, EventKind.CANCEL_ADMISSION, about=())) == []
    assert run(context, event(4, EventKind.ADMISSION)) == ["petra@clinic.example"]
    assert run(context, event(5, EventKind.CANCEL_ADMISSION, about=(4,))) == [
        "petra@clinic.example"
    ]
    assert len(sent_mails()) == 4


def test_another_encounter_is_left_alone(context: DeliveryContext, registry: Any) -> None:
    registry("petra")
    run(context, event(1, EventKind.ADMISSION))
    stay = NotifiedEncounter("another encounter")
    assert (
        cancel(
            context, stay, NotifiedEvent.of(event(2, EventKind.CANCEL_ADMISSION), received_at(2))
        )
        == frozenset()
    )
    assert run(context, event(3, EventKind.CANCEL_ADMISSION)) == ["petra@clinic.example"]


def test_an_event_that_is_redriven_after_its_cancellation_is_told_to_nobody(
    context: DeliveryContext, registry: Any
) -> None:
    registry("petra", "wei")
    admission = looked_up(context, event(1, EventKind.ADMISSION))
    assert run(context, event(2, EventKind.CANCEL_ADMISSION)) == []
    assert delivered(context, admission) == ["suppressed", "suppressed"]
    assert delivered(context, admission) == ["suppressed", "suppressed"]
    assert sent_mails() == []
    entries = [e for e in chain.entries(context, f"{1:032x}") if e["step"] == "DeliverNotification"]
    assert [(e["action"], e["suppressed_because"]) for e in entries] == [
        ("SUPPRESSED", f"{2:032x}"),
        ("SUPPRESSED", f"{2:032x}"),
    ]


def test_an_event_that_comes_after_its_cancellation_on_another_connection_is_told_to_nobody(
    context: DeliveryContext,
    registry: Any,
) -> None:
    registry("petra")
    run(context, event(2, EventKind.CANCEL_ADMISSION))
    late = event(1, EventKind.ADMISSION)
    assert delivered(context, looked_up(context, late, received=received_at(3))) == ["suppressed"]


def test_a_new_admission_under_the_same_number_stands_even_if_the_cancellation_is_redriven(
    context: DeliveryContext,
    registry: Any,
) -> None:
    registry("petra")
    run(context, event(1, EventKind.CANCEL_ADMISSION))
    assert run(context, event(2, EventKind.ADMISSION)) == ["petra@clinic.example"]
    assert run(context, event(1, EventKind.CANCEL_ADMISSION)) == []
    assert [mail["Subject"].split(":")[0] for mail in sent_mails()] == ["Hospital admission"]


def test_a_transfer_is_not_suppressed_when_the_admission_was_withdrawn(
    context: DeliveryContext, registry: Any
) -> None:
    registry("petra")
    run(context, event(2, EventKind.CANCEL_ADMISSION, about=(3,)))
    assert delivered(context, looked_up(context, event(1, EventKind.TRANSFER))) == ["sent"]


@each_point(
    (mailer, "store"),
    (transitions, "claim"),
    (delivery, "enlisted"),
    (delivery, "why_suppressed"),
    (transitions, "begin_sending"),
    (mailer, "send"),
    (transitions, "confirm"),
)
def test_whenever_the_cancellation_comes_both_are_told_or_neither(
    context: DeliveryContext,
    registry: Any,
    monkeypatch: pytest.MonkeyPatch,
    point: CallPoint,
) -> None:
    registry("petra")
    admission, again = looked_up(context, event(1, EventKind.ADMISSION)), []

    def cancel() -> None:
        cancellation = looked_up(context, event(2, EventKind.CANCEL_ADMISSION))
        try:
            delivered(context, cancellation)
        except DependencyUnavailableError:
            again.append(cancellation)

    point.lets(monkeypatch, cancel)
    delivered(context, admission)
    for cancellation in again:
        delivered(context, cancellation)
    told = [mail["Subject"].split(":")[0] for mail in sent_mails()]
    assert told in ([], ["Hospital admission", "Admission cancelled"])


def test_a_first_notice_that_died_on_its_way_is_suppressed_and_so_is_its_cancellation(
    context: DeliveryContext, registry: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry("petra")
    admission = looked_up(context, event(1, EventKind.ADMISSION))
    monkeypatch.setattr(transitions, "LEASE_MS", -1)
    with monkeypatch.context() as crash:
        crash.setattr(transitions, "begin_sending", dies)
        with pytest.raises(RuntimeError):
            delivered(context, admission)
    cancellation = looked_up(context, event(2, EventKind.CANCEL_ADMISSION))
    assert delivered(context, cancellation) == ["suppressed"]
    assert delivered(context, admission) == ["suppressed"]
    assert sent_mails() == []


def dies(*arguments: Any) -> None:
    """The run ends here."""
    raise RuntimeError
