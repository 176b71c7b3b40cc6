"""A notification made from a message on this machine, by the very code that makes the real ones."""

from pathlib import Path
from zoneinfo import ZoneInfo

from lambdas.common.contracts.models import (
    CANCELS,
    ClinicalFindings,
    FirstNotice,
    Name,
    PatientEvent,
    Recipient,
)
from lambdas.common.errors import UnprocessableMessageError
from lambdas.common.senders import Sender
from lambdas.delivery import mailer
from lambdas.delivery.message.letter import compose
from lambdas.parse_message.read_event import read_event
from ops.problem import ProblemError

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
SENDER = Sender("Northtown General", ZoneInfo("America/Halifax"), phone="+1 902 555 0100")
SES_FROM = "notifications@ens.example"
EVENT_ID = "3f2a91c4" + "0" * 24


def event_of(message: bytes) -> PatientEvent:
    """What the message says; `ProblemError` when it is not readable as HL7."""
    try:
        return read_event(message, EVENT_ID, "northgen", SENDER.zone)
    except UnprocessableMessageError as error:
        raise ProblemError(f"The message is not readable: {error}.") from None


def shown(
    event: PatientEvent,
    form: str,
    language: str,
    detail: str,
    bundle: bool = False,
) -> str:
    """The notification as `html`, `text` or `eml`, to an invented reader.

    The notes are not analysed here: that takes Comprehend Medical.
    """
    first = FirstNotice("1b0c77aa" + "0" * 24, "0" * 32, event.occurred_at or event.recorded_at)
    reader = Recipient(
        "k1.preview",
        ("primary_care",),
        name=Name(family="Lindqvist", given="Petra", prefix="Dr"),
        address="petra.lindqvist@millclinic.example",
        language=language,
        bundle=bundle,
        withdraws=first if event.kind in CANCELS else None,
    )
    letter = compose(event, ClinicalFindings("switched_off"), reader, SENDER, detail=detail)
    if form == "html":
        return letter.html
    if form == "text":
        return letter.text
    return mailer.build(SES_FROM, letter, reader.address, "0" * 32).decode()
