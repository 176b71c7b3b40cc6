"""Reads the documents that a letter is made of from the vault, and stores the finished mail there."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from lambdas.common.aws import vault
from lambdas.common.clock import now
from lambdas.common.contracts.document import Written
from lambdas.common.contracts.encounters.encounter import Change
from lambdas.common.contracts.findings import ClinicalFindings
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.visit import CodedText
from lambdas.common.contracts.recipients.identities import Identities
from lambdas.common.contracts.recipients.preferences import DetailLevel
from lambdas.common.contracts.recipients.recipient import Recipient
from lambdas.common.contracts.workflow.tasks import DeliverNotificationInput, ExtractEntitiesResult
from lambdas.common.function.handler import Run
from lambdas.common.senders import sender_named
from lambdas.delivery.context import DeliveryContext
from lambdas.delivery.decisions.detail import Detail
from lambdas.delivery.decisions.reduction import reduced
from lambdas.delivery.letter import facts
from lambdas.delivery.letter.fhir_bundle import bundle_of
from lambdas.delivery.letter.letter import Letter, compose
from lambdas.delivery.letter.told import Told
from lambdas.delivery.letter.updates import updated
from lambdas.delivery.mail import mailer
from lambdas.delivery.mail.thread import MailThread
from lambdas.encounters.marks import stay_marks


@dataclass(frozen=True, slots=True)
class Prepared:
    """A letter with its FHIR bundle ("" for none), its encryption and its thread.

    `made_for` is the reference of the choices for which it was made (`made_for`).
    """

    letter: Letter
    bundle: str = field(repr=False, default="")
    seal: Callable[[bytes], bytes] | None = None
    thread: MailThread = MailThread()
    made_for: str = ""

    def stored(
        self, context: DeliveryContext, run: Run, event_id: str, delivery_id: str, address: str
    ) -> tuple[bytes, Written]:
        """The mail in the vault. Every attempt sends the mail that the first attempt wrote for the same choices."""
        mail = mailer.build(
            context.settings.ses_from,
            self.letter,
            address,
            delivery_id,
            bundle=self.bundle,
            seal=self.seal,
            thread=self.thread.headers(
                mailer.domain_of(context.settings.ses_from),
                context.client("sesv2", mailer.SES_CONFIG).meta.region_name,
            ),
        )
        return mailer.store(context, run, event_id, delivery_id, mail, made_for=self.made_for)


def made_for(context: DeliveryContext, *told: tuple[Recipient, Detail]) -> str:
    """The reference of all that decides a mail beside its event: addressees, address, choices, policy.

    A mail that was stored for other choices is not sent: it is made anew.
    """
    facts = [
        str(fact)
        for one, detail in told
        for fact in (
            one.address.casefold(),
            detail.level,
            detail.seal is not None,
            one.certificate,
            one.language,
            one.bundle,
            one.analysis,
            *(addressee.recipient_ref for addressee in one.addressees),
            *one.policy.left_out,
            *one.policy.hidden_findings,
            *one.policy.notices,
            # A notice of 42 CFR 2.32 names it.
            one.policy.consent_id if one.policy.notices else "",
        )
    ]
    return context.reference_keys.reference("mail", *facts)


def identities_of(
    context: DeliveryContext, event_id: str, task: DeliverNotificationInput
) -> Identities:
    """The recipients of the event."""
    return vault.read_document(context, event_id, Identities, task.identities.version_id)


def recipient_in(identities: Identities, recipient_ref: str, *, second: bool = False) -> Recipient:
    """The recipient of this reference, for their first or second notice; `LookupError` when there is none."""
    recipient = identities.recipient(recipient_ref, second=second)
    if recipient is None:
        raise LookupError("identities.json does not hold this recipient")
    return recipient


def told_to(
    context: DeliveryContext,
    task: DeliverNotificationInput,
    identities: Identities,
    recipient: Recipient,
) -> Told:
    """The event as this recipient's notice tells it. A correction about another patient has only the first notice's facts."""
    event_id = task.envelope.event_id
    patient_event = vault.read_document(context, event_id, PatientEvent, task.parsed.version_id)
    kind = recipient.event_kind or patient_event.event_kind
    if recipient.cancels and (recipient.other_patient or _moves_the_stay(patient_event)):
        first = vault.read_document(context, recipient.cancels.event_id, PatientEvent)
        patient_event = _told_wrongly(first, patient_event)
        return Told(replace(patient_event, event_kind=kind))
    return Told(
        replace(patient_event, event_kind=kind),
        _clinical(context, event_id, task.clinical),
        task.envelope.received_at,
        identities.flags,
        identities.discharged_to,
    )


def with_updates(context: DeliveryContext, told: Told, updates: Iterable[str]) -> Told:
    """The event with the details that later events brought while its notice waited, and the stay's marks of now.

    A message that says nothing new may still protect the stay.
    """
    later = [vault.read_document(context, event_id, PatientEvent) for event_id in updates]
    event = updated(told.event, later)
    if decision := event.decision:
        marks = stay_marks(context, decision.encounter_key, decision.encounter_id)
        event = replace(event, decision=replace(decision, marks=decision.marks.joined(marks)))
    return replace(told, event=event)


def _moves_the_stay(patient_event: PatientEvent) -> bool:
    """Whether the event moves the encounter to another patient. Recipients of the first notice must not see that one.

    For documents of earlier versions, whose recipients lack `other_patient`.
    """
    decision = patient_event.decision
    return decision is not None and any(Change.PATIENT in one.changes for one in decision.notices)


def _told_wrongly(first: PatientEvent, correction: PatientEvent) -> PatientEvent:
    """The correction with patient and place of the first notice, and nothing clinical."""
    return replace(
        first,
        event_id=correction.event_id,
        message_time=correction.message_time,
        recorded_at=correction.recorded_at,
        occurred_at="",
        visit=replace(first.visit, reason=CodedText()),
        diagnoses=(),
        notes=(),
        skipped_notes=(),
        decision=correction.decision,
    )


def letter_for(
    context: DeliveryContext,
    run: Run,
    told: Told,
    identities: Identities,
    recipient: Recipient,
    *,
    detail: Detail,
) -> Prepared:
    """The letter about one event to one recipient, with no more than they may see."""
    sender = sender_named(context, run.sender)
    told = reduced(told, recipient)
    letter = compose(
        told,
        recipient,
        sender,
        detail=detail.level,
        instead_of=instead_of(identities, recipient),
    )
    institution = facts.institution(told.event, sender)
    with_bundle = recipient.bundle and detail.level is DetailLevel.FULL
    bundle = bundle_of(told, recipient, institution, now()) if with_bundle else ""
    return Prepared(letter, bundle, detail.seal)


def instead_of(identities: Identities, recipient: Recipient) -> str:
    """The providers whose fallback this recipient is, by name; "" for a recipient who is no fallback."""
    told = {known.recipient_ref for known in identities.recipients}
    if recipient.recipient_ref in told:
        return ""
    for known in identities.recipients:
        if known.fallback_ref == recipient.recipient_ref:
            return ", ".join(one.name.display() for one in known.addressees)
    return ""


def _clinical(
    context: DeliveryContext, event_id: str, clinical: ExtractEntitiesResult
) -> ClinicalFindings:
    """The findings in the notes; without a document, findings that are marked unavailable."""
    if not clinical.version_id:
        return ClinicalFindings(outcome=clinical.outcome)
    return vault.read_document(context, event_id, ClinicalFindings, clinical.version_id)
