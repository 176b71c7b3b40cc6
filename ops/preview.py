"""Renders a notification from a message on this machine, with the code of the workflow's functions."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from lambdas.common.clock import iso
from lambdas.common.contracts.encounters.encounter import (
    Decision,
    Effect,
    Encounter,
    EncounterClass,
)
from lambdas.common.contracts.findings import ClinicalFindings, FindingsOutcome
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.event_kind import CANCELS
from lambdas.common.contracts.message.person import Name
from lambdas.common.contracts.recipients.preferences import DetailLevel
from lambdas.common.contracts.recipients.recipient import FirstNotice, Recipient, RecipientReason
from lambdas.common.errors import UnprocessableMessageError
from lambdas.common.keys import KeyRing
from lambdas.common.senders import SenderProfile
from lambdas.delivery.letter.letter import compose
from lambdas.delivery.letter.told import Told
from lambdas.delivery.mail import mailer
from lambdas.parse_message.read_event import read_event
from lambdas.track_encounter.message import EncounterMessage
from lambdas.track_encounter.profile import EncounterProfile
from lambdas.track_encounter.reading import encounter_message
from lambdas.track_encounter.rules import decide
from ops.problem import ProblemError

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
SENDER = SenderProfile("Northtown General", ZoneInfo("America/Halifax"), phone="+1 902 555 0100")
SES_FROM = "notifications@ens.example"
EVENT_ID = "3f2a91c4" + "0" * 24
PROFILE = EncounterProfile(name="northgen", default_authority="NORTHGEN")

CANCELLED = {
    Effect.CANCEL_BEGIN: (Effect.BEGIN,),
    Effect.CANCEL_MOVE: (Effect.BEGIN, Effect.MOVE),
    Effect.CANCEL_END: (Effect.BEGIN, Effect.END),
    Effect.TO_OUTPATIENT: (Effect.BEGIN,),
}
"""The events before a cancellation or a change of class, without which it has nothing to correct."""


def event_of(message: bytes) -> PatientEvent:
    """Returns the event of an HL7 message, decided as the only message of its stay.

    A cancellation cancels an event that is made up for it. Raises `ProblemError` when the message cannot
    be read.
    """
    try:
        event = read_event(message, EVENT_ID, PROFILE.name, SENDER.zone)
    except UnprocessableMessageError as error:
        raise ProblemError(f"The message cannot be read: {error}.") from None
    return event.decided(_decision(event))


def _decision(event: PatientEvent) -> Decision:
    """The decision at the time at which the message was sent, so that nothing is late or too old."""
    now = _sent_at(event)
    message = encounter_message(event, PROFILE, KeyRing("k1", {"k1": b"preview"}), iso(now))
    stay: Encounter | None = None
    for earlier in CANCELLED.get(message.event.effect, ()):
        stay, _ = decide(stay, _before(message, earlier), PROFILE, now)
    return decide(stay, message, PROFILE, now)[1]


def _sent_at(event: PatientEvent) -> datetime:
    try:
        return datetime.fromisoformat(event.message_time or event.recorded_at).astimezone(UTC)
    except ValueError:
        return datetime.now(UTC)


def _before(message: EncounterMessage, effect: Effect) -> EncounterMessage:
    """A message of the same stay with an earlier event of this effect."""
    hours = 2 if effect is Effect.BEGIN else 1
    moment = iso(datetime.fromisoformat(message.event.order) - timedelta(hours=hours))
    event = replace(
        message.event,
        event_id=f"{hours:032x}",
        effect=effect,
        order=moment,
        at=moment,
        encounter_class=message.event.encounter_class or EncounterClass.INPATIENT,
        facility="" if effect is Effect.BEGIN else message.event.facility or "HERE",
        facility_before="ELSEWHERE" if effect is Effect.MOVE else "",
        died=None,
    )
    return replace(message, event=event)


def shown(
    event: PatientEvent,
    form: str,
    language: str,
    detail: DetailLevel,
    bundle: bool = False,
) -> str:
    """Returns the notification as `html`, `text` or `eml`, addressed to an invented provider.

    It has no clinical findings, because Comprehend Medical is not called.
    """
    first = FirstNotice("1b0c77aa" + "0" * 24, "0" * 32, event.occurred_at or event.recorded_at)
    reader = Recipient(
        "k1.preview",
        (RecipientReason.PRIMARY_CARE,),
        name=Name(family="Lindqvist", given="Petra", prefix="Dr"),
        address="petra.lindqvist@millclinic.example",
        language=language,
        bundle=bundle,
        cancels=first if event.event_kind in CANCELS else None,
    )
    told = Told(event, ClinicalFindings(FindingsOutcome.SWITCHED_OFF))
    letter = compose(told, reader, SENDER, detail=detail)
    if form == "html":
        return letter.html
    if form == "text":
        return letter.text
    return mailer.build(SES_FROM, letter, reader.address, "0" * 32).decode()
