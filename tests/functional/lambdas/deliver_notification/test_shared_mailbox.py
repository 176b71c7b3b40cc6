"""Two doctors with one mail address: one mail names both, and both count as told from then on."""

from dataclasses import replace
from email.message import EmailMessage

import pytest

from lambdas.common.audit import chain
from lambdas.common.contracts.encounters.encounter import Audience, Notice
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.common.contracts.message.person import Name
from lambdas.common.contracts.recipients.recipient import Addressee
from lambdas.common.senders import SenderProfile
from lambdas.delivery.context import DeliveryContext
from lambdas.delivery.letter.letter import rendered, view_of
from lambdas.delivery.letter.told import Told
from lambdas.delivery.letter.words.locale import words_in
from ops.events.timeline import recipients
from tests.functional.lambdas.deliver_notification.stay import (
    delivered,
    event,
    file_registry,
    in_care,
    looked_up,
)
from tests.functional.lambdas.deliver_notification.world import (
    ADMISSION,
    FINDINGS,
    RECIPIENT,
    sent_mails,
)

INBOX = "inbox@practice.example"


def file_team(context: DeliveryContext, *team: str, **cells: dict[str, str]) -> None:
    """Files the patient with these doctors of one practice in care; `cells` are a doctor's own."""
    doctors = ("keane", "two")
    file_registry(
        context,
        [
            {"provider_id": who, "family": who.title(), "email": INBOX, "detail": "full"}
            | cells.get(who, {})
            for who in doctors
        ],
        [in_care(who, active=who in team) for who in doctors],
    )


def told(context: DeliveryContext, patient_event: PatientEvent) -> list[str]:
    """The addressees that each mail of this event names."""
    before = len(sent_mails())
    delivered(context, looked_up(context, patient_event))
    return [_addressees(mail) for mail in sent_mails()[before:]]


def _text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def _addressees(mail: EmailMessage) -> str:
    (line,) = (line for line in _text(mail).splitlines() if line.startswith("For:"))
    return line.removeprefix("For: ")


def for_the_untold(number: int) -> PatientEvent:
    """A later event that tells those who were not told of the admission."""
    one = event(number, EventKind.ADMISSION)
    assert one.decision is not None
    about = (f"{1:032x}",)
    notice = Notice(kind=EventKind.ADMISSION, audience=Audience.UNTOLD, about=about)
    return replace(one, decision=replace(one.decision, notices=(notice,)))


def test_one_mail_names_both_and_the_trail_shows_both_as_told(context: DeliveryContext) -> None:
    file_team(context, "keane", "two")
    assert told(context, event(1, EventKind.ADMISSION)) == ["Keane, Two"]
    (mail,) = sent_mails()
    assert mail["To"] == INBOX
    text = _text(mail)
    assert "Keane is on record for this patient as" in " ".join(text.split())
    assert "Two is on record for this patient as" in " ".join(text.split())
    first, second = recipients(chain.entries(context, f"{1:032x}"))
    assert first.recipient_ref != second.recipient_ref
    assert (first.outcome, second.outcome) == ("sent", "sent")
    assert first.delivery_id == second.delivery_id


def test_the_index_by_recipient_leads_to_both_doctors_of_one_mail(
    context: DeliveryContext,
) -> None:
    file_team(context, "keane", "two")
    told(context, event(1, EventKind.ADMISSION))
    for trace in recipients(chain.entries(context, f"{1:032x}")):
        (entry,) = chain.query(
            context,
            "recipient_ref = :r",
            {":r": trace.recipient_ref},
            IndexName="by_recipient",
        )
        assert entry["action"] in ("SENT", "TOLD_TOO")
        assert (entry["event_id"], entry["event_kind"]) == (f"{1:032x}", "admission")
        assert entry["patient_ref"]


def test_the_withdrawal_is_one_mail_to_both(context: DeliveryContext) -> None:
    file_team(context, "keane", "two")
    told(context, event(1, EventKind.ADMISSION))
    file_team(context, "two")
    assert told(context, event(2, EventKind.CANCEL_ADMISSION)) == ["Keane, Two"]


def test_a_doctor_who_was_left_out_of_the_mail_is_not_told_of_its_withdrawal(
    context: DeliveryContext,
) -> None:
    file_team(context, "keane", "two")
    task = looked_up(context, event(1, EventKind.ADMISSION))
    file_team(context, "keane")
    delivered(context, task)
    assert [_addressees(mail) for mail in sent_mails()] == ["Keane"]
    assert told(context, event(2, EventKind.CANCEL_ADMISSION)) == ["Keane"]
    actions = [entry["action"] for entry in chain.entries(context, f"{2:032x}")]
    assert "TOLD_TOO" not in actions


@pytest.mark.parametrize("team", [("keane", "two"), ("two",)])
def test_a_doctor_who_was_told_in_the_others_mail_is_not_told_the_same_again(
    context: DeliveryContext, team: tuple[str, ...]
) -> None:
    file_team(context, "keane", "two")
    told(context, event(1, EventKind.ADMISSION))
    file_team(context, *team)
    assert told(context, for_the_untold(2)) == []


def test_a_doctor_who_comes_later_is_told_alone(context: DeliveryContext) -> None:
    file_team(context, "keane")
    assert told(context, event(1, EventKind.ADMISSION)) == ["Keane"]
    file_team(context, "keane", "two")
    assert told(context, for_the_untold(2)) == ["Two"]


def test_doctors_with_different_languages_get_a_mail_each(context: DeliveryContext) -> None:
    file_team(context, "keane", "two", two={"language": "fr-CA"})
    delivered(context, looked_up(context, event(1, EventKind.ADMISSION)))
    assert [mail["To"] for mail in sent_mails()] == [INBOX, INBOX]


def test_a_summary_names_the_addressees_again_where_they_differ() -> None:
    words = words_in("en")
    alone, both = (
        view_of(Told(ADMISSION, FINDINGS), one, SenderProfile())
        for one in (RECIPIENT, replace(RECIPIENT, also=(Addressee("k1.two", name=Name("Two")),)))
    )
    text = rendered([alone, alone, both], words).text
    named = [line for line in text.splitlines() if line.startswith("For: ")]
    assert named == ["For: Dr Petra Lindqvist", "For: Dr Petra Lindqvist, Two"]
