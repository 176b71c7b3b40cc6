"""The notification as its reader sees it: pure, from what is known to subject, text and HTML."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from lambdas.common.models import ClinicalFindings, PatientEvent, Recipient
from lambdas.common.senders import Sender
from lambdas.deliver_notification import facts, findings
from lambdas.deliver_notification.clean import clean
from lambdas.deliver_notification.findings import Found
from lambdas.deliver_notification.wording import KindWords, reason_words

TEMPLATES = Path(__file__).with_name("templates")

NOT_LIVE = {"T": "TEST", "D": "TRAINING"}
"""MSH-11 (HL7 table 0103): a test message must not look like a live one."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A notification ready to be made into a mail. The subject holds nothing about the patient."""

    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class View:
    """What the two templates show; every text is clean, every empty one is left out by them."""

    title: str
    not_live: str
    headline: str = field(repr=False)
    addressee: str = field(repr=False)
    rows: list[tuple[str, str]] = field(repr=False)
    diagnoses: list[str] = field(repr=False)
    conditions: list[Found] = field(repr=False)
    medications: list[Found] = field(repr=False)
    left_out: dict[str, int]
    notes_status: str
    contact: str = field(repr=False)
    why: str = field(repr=False)
    reference: str


def compose(
    patient_event: PatientEvent,
    clinical: ClinicalFindings,
    recipient: Recipient,
    sender: Sender,
) -> Letter:
    """The notification of one event for one recipient.

    The three items that 42 CFR 482.24(d) asks for (patient, treating practitioner, sending
    institution) are always there, or named as missing. `KeyError` when the event's kind is none
    of `KINDS`.
    """
    view = view_of(patient_event, clinical, recipient, sender)
    templates = _templates()
    text = templates.get_template("letter.txt.j2").render(view=view)
    html = templates.get_template("letter.html.j2").render(view=view)
    mark = f"[{view.not_live}] " if view.not_live else ""
    subject = f"{mark}{view.title}: a patient of yours (ref. {view.reference})"
    return Letter(subject, text.strip() + "\n", html)


def view_of(
    patient_event: PatientEvent,
    clinical: ClinicalFindings,
    recipient: Recipient,
    sender: Sender,
) -> View:
    """What the templates need to show this event to this recipient."""
    words = facts.words_of(patient_event)
    institution = facts.institution(patient_event, sender)
    diagnoses = findings.of_hospital(patient_event)
    conditions = findings.found(clinical.conditions)
    medications = findings.found(clinical.medications)
    lengths = {
        "diagnoses": len(diagnoses),
        "conditions": len(conditions),
        "medications": len(medications),
    }
    return View(
        title=words.title,
        not_live=NOT_LIVE.get(patient_event.processing_id.upper(), ""),
        headline=_headline(patient_event, words),
        addressee=clean(recipient.name.display()),
        rows=facts.rows(patient_event, words, institution, sender.zone),
        diagnoses=diagnoses[: findings.MOST],
        conditions=conditions[: findings.MOST],
        medications=medications[: findings.MOST],
        left_out={name: max(0, length - findings.MOST) for name, length in lengths.items()},
        notes_status=findings.notes_status(clinical, patient_event),
        contact=_contact(patient_event, institution),
        why=", ".join(reason_words(reason) for reason in recipient.reasons),
        reference=patient_event.event_id[:8].upper(),
    )


def _headline(patient_event: PatientEvent, words: KindWords) -> str:
    return (
        f"{clean(patient_event.patient.name.display()) or 'A patient of yours'} {words.happened}."
    )


def _contact(patient_event: PatientEvent, institution: str) -> str:
    name, _ = facts.treating_practitioner(patient_event)
    ask = f" and ask for {name}" if name else ""
    return f"{institution or 'the hospital'}{ask}"


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
