"""Makes the subject, text and HTML of a notification. Pure."""

from collections.abc import Sized
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.recipients.preferences import DetailLevel
from lambdas.common.contracts.recipients.recipient import Addressee, Recipient
from lambdas.common.senders import SenderProfile
from lambdas.delivery.letter import facts, findings_rows, remarks
from lambdas.delivery.letter.findings_rows import FindingRow
from lambdas.delivery.letter.told import Told
from lambdas.delivery.letter.words import times
from lambdas.delivery.letter.words.clean import clean
from lambdas.delivery.letter.words.locale import Words, words_in
from lambdas.delivery.letter.words.unlinked import letter_text
from lambdas.delivery.letter.words.wording import notice_of, reason_words

TEMPLATES = Path(__file__).with_name("templates")

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


@dataclass(frozen=True, slots=True)
class Letter:
    """A notification ready to be made into a mail. The subject holds nothing about the patient."""

    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class View:
    """The texts of one event for both templates. Each is clean; the templates leave out empty ones."""

    title: str
    not_live: str
    headline: str = field(repr=False)
    remarks: list[str] = field(repr=False)
    addressee: str = field(repr=False)
    rows: list[tuple[str, str]] = field(repr=False)
    diagnoses: list[str] = field(repr=False)
    machine: dict[str, list[FindingRow]] = field(repr=False)
    left_out: dict[str, int]
    notes_status: str
    next_step: str
    contact: str = field(repr=False)
    why: list[str] = field(repr=False)
    reference: str
    stay: str


def compose(
    told: Told,
    recipient: Recipient,
    sender: SenderProfile,
    *,
    detail: DetailLevel = DetailLevel.FULL,
    instead_of: str = "",
) -> Letter:
    """The notification of one event for one recipient, in the recipient's language.

    The three items that 42 CFR 482.24(d) asks for (patient, treating practitioner, sending institution) are
    always there, or named as missing; a `minimal` one has initials and institution. `instead_of` names the
    provider to whom it could not be delivered. Raises `KeyError` for a kind of event that is not in `NOTIFIED`.
    """
    words = words_in(recipient.language)
    view = view_of(told, recipient, sender, detail=detail, instead_of=instead_of)
    return rendered([view], words)


def rendered(views: list[View], words: Words, summary_reference: str = "") -> Letter:
    """The views as one letter: one is a notification, several are a summary with this reference."""
    shown = {"views": views, "w": words, "summary": len(views) > 1}
    # Not `get_template`: SES has an operation of that name, and tests read calls by name.
    text = _ENVIRONMENT.get_or_select_template("letter.txt.j2").render(shown)
    html = _ENVIRONMENT.get_or_select_template("letter.html.j2").render(shown)
    return Letter(_subject(views, words, summary_reference), text.strip() + "\n", html)


def _subject(views: list[View], words: Words, summary_reference: str) -> str:
    marks = sorted({view.not_live for view in views if view.not_live})
    prefix = f"[{', '.join(marks)}] " if marks else ""
    if len(views) > 1:
        said = words.summary_subject.format(count=len(views), reference=summary_reference)
    else:
        said = words.subject.format(title=views[0].title, reference=views[0].reference)
    return f"{prefix}{said}"


def view_of(
    told: Told,
    recipient: Recipient,
    sender: SenderProfile,
    *,
    detail: DetailLevel = DetailLevel.FULL,
    instead_of: str = "",
) -> View:
    """The texts that the templates show of this event to this recipient."""
    patient_event, words = told.event, words_in(recipient.language)
    notice = notice_of(patient_event)
    institution = facts.institution(patient_event, sender)
    full = detail is DetailLevel.FULL
    # A withdrawal repeats nothing clinical of the withdrawn event.
    clinically = full and not facts.withdraws(patient_event)
    diagnoses = findings_rows.of_hospital(patient_event, words) if clinically else []
    seen = findings_rows.seen_by(told.clinical, recipient.analysis)
    machine = findings_rows.by_machine(seen, words) if clinically else {}
    lists: dict[str, Sized] = {"diagnoses": diagnoses, **machine}
    rows = (
        facts.rows(told, notice, sender, words)
        if full
        else facts.minimal_rows(patient_event, institution, words)
    )
    first = facts.first_notice_row(recipient.cancels, sender.zone, words)
    about = remarks.remarks if full else remarks.late
    name = (
        letter_text(patient_event.patient.name.display()) if full else facts.initials(patient_event)
    )
    status = findings_rows.notes_status(seen, patient_event, words) if clinically else ""
    return View(
        title=words.notices[notice].title,
        not_live=_not_live(patient_event, sender, words),
        headline=_sentence(words.notices[notice].happened.format(name=name or words.a_patient)),
        remarks=[
            *(_policy_notices(recipient, words) if full else ()),
            *about(told, sender.zone, words),
        ],
        addressee=", ".join(letter_text(one.name.display()) for one in recipient.addressees),
        rows=[*first, *rows] if facts.withdraws(patient_event) else [*rows, *first],
        diagnoses=diagnoses[: findings_rows.MAX_ROWS],
        machine={name: listed[: findings_rows.MAX_ROWS] for name, listed in machine.items()},
        left_out={
            name: max(0, len(listed) - findings_rows.MAX_ROWS) for name, listed in lists.items()
        },
        notes_status=status if full else words.sentences.minimal,
        next_step=words.notices[notice].next,
        contact=_contact(patient_event, institution, sender, words, full),
        why=_why(patient_event, recipient, letter_text(instead_of), words),
        reference=facts.reference_of(patient_event.event_id),
        stay=facts.reference_of(recipient.stay_ref),
    )


def _not_live(patient_event: PatientEvent, sender: SenderProfile, words: Words) -> str:
    """The mark of a message that is about no real patient: by MSH-11, or as the sender names test patients."""
    invented = sender.is_test_patient(patient_event.patient)
    mark: str = words.marks.get("T" if invented else patient_event.processing_id.upper())
    return mark


def _policy_notices(recipient: Recipient, words: Words) -> list[str]:
    """The statements that the policy demands. A minimal letter tells nothing that they are about."""
    consent = recipient.policy.consent_id
    return [
        text.format(consent=letter_text(consent, 60))
        for notice in recipient.policy.notices
        for text in (words.policy_notices[notice], words.policy_notices[f"{notice}_scope"])
    ]


def _sentence(text: str) -> str:
    """The text with an upper-case first letter. A name that ends in a point (`A. O.`, `Jr.`) ends the sentence."""
    ended = text[:-1] if text.endswith("..") else text
    return ended[:1].upper() + ended[1:]


def _contact(
    patient_event: PatientEvent, institution: str, sender: SenderProfile, words: Words, full: bool
) -> str:
    name = facts.treating_practitioner(patient_event)[0] if full else ""
    phone = clean(sender.phone, 40)
    form = "contact" + ("_phone" if phone else "") + ("_name" if name else "")
    known = institution or words.sentences.the_hospital
    return str(words.sentences[form].format(institution=known, phone=phone, name=name))


def _why(
    patient_event: PatientEvent, recipient: Recipient, instead_of: str, words: Words
) -> list[str]:
    said = words.sentences
    why = [_why_told(one, words, shared=bool(recipient.also)) for one in recipient.addressees]
    if recipient.cancels:
        why.append(said.why_told if facts.withdraws(patient_event) else said.why_updated)
    if recipient.roster_until:
        last = times.in_words(recipient.roster_until, None, words)
        why.append(said.why_roster.format(day=last))
    if instead_of:
        why.append(said.why_fallback.format(name=instead_of))
    return why


def _why_told(addressee: Addressee, words: Words, *, shared: bool) -> str:
    """The reasons for one provider; by name where several share the mail."""
    said = words.sentences
    reasons = ", ".join(reason_words(reason, words) for reason in addressee.reasons)
    if not reasons:
        return str(said.why)
    form = said.why_each if shared else said.why_as
    return str(form.format(name=letter_text(addressee.name.display()), reasons=reasons))
