"""Invented events, one of each kind, and a reader that checks HTML as strictly as a browser is lax."""

from dataclasses import replace
from html.parser import HTMLParser
from typing import Any
from zoneinfo import ZoneInfo

from lambdas.common.contracts.findings import (
    ClinicalFindings,
    Finding,
    FindingsOutcome,
    FindingType,
    SetAsideReason,
)
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.event_kind import CANCELS, EventKind
from lambdas.common.contracts.message.patient import Patient
from lambdas.common.contracts.message.person import Name
from lambdas.common.contracts.message.practitioner import Practitioner, PractitionerRole
from lambdas.common.contracts.message.visit import CodedText, Location, Visit
from lambdas.common.contracts.recipients.preferences import DetailLevel
from lambdas.common.contracts.recipients.recipient import Recipient, RecipientReason
from lambdas.common.senders import SenderProfile
from lambdas.delivery.letter.letter import Letter, compose
from lambdas.delivery.letter.told import Told

SENDER = SenderProfile("Northtown General", ZoneInfo("America/Halifax"))
RECIPIENT = Recipient(
    "k1.r", (RecipientReason.PRIMARY_CARE,), name=Name(family="Lindqvist", given="Petra")
)
FINDINGS = ClinicalFindings(
    FindingsOutcome.EXTRACTED,
    conditions=(
        Finding(
            "a-fib",
            "I48.91",
            "Unspecified atrial fibrillation",
            0.93,
            field="OBX[1]-5",
            finding_type=FindingType.DIAGNOSIS,
            acuity="acute",
        ),
        Finding(
            "chest discomfort",
            score=0.81,
            field="PV2-3",
            finding_type=FindingType.SYMPTOM,
            anatomy="left",
        ),
    ),
    medications=(
        Finding("propanolol", "8787", score=0.97, detail="10Mg p.o. twice daily", field="NTE[2]-3"),
    ),
    tests=(
        Finding(
            "d-dimer",
            score=0.88,
            detail="2.1 mg/L",
            field="OBX[1]-5",
            finding_type=FindingType.TEST,
        ),
    ),
    procedures=(
        Finding("cardioversion", score=0.9, field="OBX[1]-5", finding_type=FindingType.TREATMENT),
    ),
    apart={
        SetAsideReason.PAST: (
            Finding(
                "gout",
                "M10.9",
                "Gout, unspecified",
                0.9,
                field="OBX[1]-5",
                finding_type=FindingType.DIAGNOSIS,
            ),
            Finding("colchicine", score=0.9, field="OBX[1]-5", finding_type=FindingType.GENERIC),
        ),
        SetAsideReason.NEGATED: (
            Finding("pneumonia", score=0.99, finding_type=FindingType.DIAGNOSIS),
        ),
        SetAsideReason.FAMILY: (
            Finding("breast cancer", score=0.99, finding_type=FindingType.DIAGNOSIS),
        ),
        SetAsideReason.HYPOTHETICAL: (
            Finding("sepsis", score=0.99, finding_type=FindingType.DIAGNOSIS),
        ),
        SetAsideReason.LOW_CONFIDENCE: (
            Finding("scurvy", score=0.2, finding_type=FindingType.DIAGNOSIS),
        ),
    },
)
NOTHING = ClinicalFindings(FindingsOutcome.NOTHING_TO_READ)

ADMISSION = PatientEvent(
    event_id="3f2a91c4" + "0" * 24,
    trigger_event="A01",
    event_kind=EventKind.ADMISSION,
    notifiable=True,
    hl7_version="2.5.1",
    processing_id="P",
    sender="northgen",
    sending_facility="NORTHGEN",
    occurred_at="2026-11-23T13:12:00+00:00",
    patient=Patient(name=Name(family="Okonjo", given="Amaka"), birth_date="1958-02-14", sex="F"),
    visit=Visit(
        location=Location(facility="NORTHGEN", unit="4W", room="412", bed="B"),
        admitted_at="2026-11-23T09:12:00-04:00",
        reason=CodedText(text="shortness of breath"),
    ),
    practitioners=(
        Practitioner(
            PractitionerRole.ATTENDING, name=Name(family="Barros", given="Ines", prefix="Dr")
        ),
        Practitioner(
            PractitionerRole.ADMITTING, name=Name(family="Chen", given="Wei", prefix="Dr")
        ),
    ),
    diagnoses=(CodedText("I26.99", "Other pulmonary embolism", "I10", "A"),),
)
BARE = PatientEvent(
    event_id="0" * 32,
    trigger_event="A01",
    event_kind=EventKind.ADMISSION,
    notifiable=True,
    hl7_version="2.3",
)


def of_kind(kind: str, **visit: Any) -> PatientEvent:
    """The admission as an event of another kind, with other facts of the visit."""
    recorded = ADMISSION.occurred_at if kind in CANCELS else ""
    return replace(
        ADMISSION,
        event_kind=EventKind(kind),
        recorded_at=recorded,
        visit=replace(ADMISSION.visit, **visit),
    )


def letter_of(
    patient_event: PatientEvent = ADMISSION,
    clinical: ClinicalFindings = NOTHING,
    recipient: Recipient = RECIPIENT,
    sender: SenderProfile = SENDER,
    detail: str = "full",
) -> Letter:
    """The notification of this event."""
    told = Told(patient_event, clinical)
    return compose(told, recipient, sender, detail=DetailLevel(detail))


DEATHS = [
    of_kind("discharge", disposition=CodedText("20")),
    of_kind("ed_discharge", disposition=CodedText("41")),
    replace(
        of_kind("discharge", disposition=CodedText("01")),
        patient=replace(ADMISSION.patient, died=True),
    ),
    replace(
        of_kind("discharge"), patient=replace(ADMISSION.patient, died_at="2026-11-23T05:40-04:00")
    ),
]
"""Told as a death: by its disposition, by hospice, by PID-30, by PID-29."""


class Page(HTMLParser):
    """A parsed HTML mail: its visible text, its tags with attributes, and what is not well-formed."""

    VOID = frozenset({"meta", "br", "img", "hr", "link", "input"})

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.faults: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()
        self.faults += [f"<{tag}> is never closed" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes the tag and opens it."""
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.faults.append(f"<{tag}> has an attribute twice")
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Closes the tag, which must be the last one opened."""
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes what is not open")

    def handle_data(self, data: str) -> None:
        """Keeps the text that a reader sees."""
        if not {"style", "title"} & set(self.open) and data.strip():
            self.texts.append(" ".join(data.split()))

    @property
    def text(self) -> str:
        """All that a reader sees, in order."""
        return " ".join(self.texts)


def both(letter: Letter) -> tuple[str, str]:
    """The plain text and the visible text of the HTML."""
    return letter.text, Page(letter.html).text
