"""Renders a notification from a message on this machine, with the code of DeliverNotification."""

from pathlib import Path
from zoneinfo import ZoneInfo

from lambdas.common.contracts.event import CANCELS, PatientEvent
from lambdas.common.contracts.findings import ClinicalFindings, FindingsOutcome
from lambdas.common.contracts.person import Name
from lambdas.common.contracts.preferences import DetailLevel
from lambdas.common.contracts.recipient import FirstNotice, Recipient, RecipientReason
from lambdas.common.errors import UnprocessableMessageError
from lambdas.common.senders import SenderProfile
from lambdas.delivery import mailer
from lambdas.delivery.message.letter import compose
from lambdas.parse_message.read_event import read_event
from ops.problem import ProblemError

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
SENDER = SenderProfile("Northtown General", ZoneInfo("America/Halifax"), phone="+1 902 555 0100")
EVENT_ID = "3f2a91c4" + "0" * 24


def event_of(message: bytes) -> PatientEvent:
    """Returns the event of an HL7 message. Raises `ProblemError` when it cannot be read."""
    try:
        return read_event(message, EVENT_ID, "northgen", SENDER.zone)
    except UnprocessableMessageError as error:
        raise ProblemError(f"The message cannot be read: {error}.") from None


def shown(
    event: PatientEvent, form: str, language: str, detail: DetailLevel, bundle: bool = False
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
    letter = compose(
        event, ClinicalFindings(FindingsOutcome.SWITCHED_OFF), reader, SENDER, detail=detail
    )
    if form == "html":
        return letter.html
    if form == "text":
        return letter.text
    return mailer.build(letter, reader.address, "0" * 32).decode()
