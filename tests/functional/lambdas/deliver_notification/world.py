"""A delivery's surroundings: an event in the vault, its recipient, and SES with a mind of its own."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

import boto3
from aws_lambda_powertools import Logger, Metrics
from botocore.exceptions import ClientError
from moto.ses.models import ses_backends

from lambdas.common.audit.chain import entries
from lambdas.common.aws.items import from_item, to_item
from lambdas.common.contracts.audit import AuditStep
from lambdas.common.contracts.document import read_as, to_document
from lambdas.common.contracts.findings import ClinicalFindings, Finding, FindingsOutcome
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.common.contracts.message.patient import Patient
from lambdas.common.contracts.message.person import Name
from lambdas.common.contracts.message.practitioner import Practitioner, PractitionerRole
from lambdas.common.contracts.message.visit import CodedText, Location, Visit
from lambdas.common.contracts.recipients.identities import Identities
from lambdas.common.contracts.recipients.recipient import Recipient, RecipientReason
from lambdas.common.contracts.workflow.tasks import DeliverNotificationInput
from lambdas.common.function.handler import Run
from lambdas.deliver_notification.handler import lambda_handler
from lambdas.delivery.context import DeliveryContext
from lambdas.delivery.delivery import deliver
from lambdas.delivery.ledger import table
from lambdas.delivery.ledger.deliveries import deliveries
from lambdas.delivery.mail.mailer import SES_CONFIG
from lambdas.registry.keys import provider_key, relationship_key
from tests.support.contexts import refreshed
from tests.support.lambda_context import LambdaContext
from tests.support.vault import write_json

ACCOUNT = "123456789012"
RECEIVED_AT = "2026-11-23T13:12:04.000Z"
EVENT_ID = "5e" * 16
RECIPIENT = Recipient(
    "k1.recipient",
    (RecipientReason.PRIMARY_CARE,),
    provider_id="p1",
    name=Name(family="Lindqvist", given="Petra", prefix="Dr"),
    address="petra.lindqvist@clinic.example",
)
ADMISSION = PatientEvent(
    event_id=EVENT_ID,
    trigger_event="A01",
    event_kind=EventKind.ADMISSION,
    notifiable=True,
    hl7_version="2.5.1",
    processing_id="P",
    sender="northgen",
    sending_facility="NORTHGEN",
    occurred_at="2026-11-23T09:12:00-04:00",
    patient=Patient(name=Name(family="Okonjo", given="Amaka"), birth_date="1958-02-14", sex="F"),
    visit=Visit(
        location=Location(facility="NORTHGEN", unit="4W", room="412", bed="B"),
        reason=CodedText(text="shortness of breath"),
    ),
    practitioners=(
        Practitioner(PractitionerRole.ATTENDING, name=Name(family="Barros", given="Ines")),
    ),
    diagnoses=(CodedText("I26.99", "Other pulmonary embolism", "I10", "A"),),
)
FINDINGS = ClinicalFindings(
    FindingsOutcome.EXTRACTED,
    conditions=(Finding("a-fib", "I48.91", "Unspecified atrial fibrillation", 0.9),),
    medications=(Finding("propanolol", detail="10Mg"),),
)
PRIVATE = (
    "Okonjo",
    "Amaka",
    "1958",
    "Barros",
    "Ines",
    "NORTHGEN",
    "Lindqvist",
    "Petra",
    "clinic.example",
    "embolism",
    "a-fib",
    "propanolol",
    "shortness",
)


@dataclass
class DeliveryWorld:
    """One event for some recipients; `run` is one invocation of the function."""

    context: DeliveryContext
    recipients: tuple[Recipient, ...] = (RECIPIENT,)
    patient_event: PatientEvent = ADMISSION
    task: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        event_id = self.patient_event.event_id
        # One reference, one provider.
        self.recipients = tuple(
            replace(one, provider_id=one.recipient_ref) for one in self.recipients
        )
        identities = Identities("k1.patient", patient_id="p", recipients=self.recipients)
        file_recipients(self.context, identities)
        written = {
            name: write_json(self.context, event_id, f"{name}.json", document).version_id
            for name, document in {
                "event": to_document(self.patient_event),
                "identities": to_document(identities),
                "clinical": to_document(FINDINGS),
            }.items()
        }
        self.task = {
            "envelope": {
                "event_id": event_id,
                "sender": "northgen",
                "received_at": RECEIVED_AT,
            },
            "recipient_ref": self.recipients[0].recipient_ref,
            "parsed": {"encounter_ref": "k1.encounter", "version_id": written["event"]},
            "identities": {"version_id": written["identities"], "patient_ref": "k1.patient"},
            "clinical": {"outcome": "extracted", "version_id": written["clinical"]},
            "execution_arn": "arn:aws:states:us-east-1:123456789012:express:x:y",
            "attempt": 0,
        }

    def run(self, recipient: Recipient | None = None) -> dict[str, Any]:
        """The function's result for this recipient, or the first."""
        chosen = recipient or self.recipients[0]
        handler = lambda_handler.with_context(refreshed(self.context))
        answer = handler(
            {**self.task, "recipient_ref": chosen.recipient_ref},
            LambdaContext("DeliverNotification"),
        )
        return cast(dict[str, Any], json.loads(json.dumps(answer)))

    def run_beside(self) -> dict[str, Any]:
        """The result of a run in another sandbox.

        It is the step without the wrapper: one process can collect the wrapper's metrics for one
        invocation at a time only.
        """
        return beside(self.context, self.task)

    @property
    def delivery_id(self) -> str:
        """The first recipient's delivery."""
        chosen = self.recipients[0]
        event_id = self.patient_event.event_id
        return deliveries.delivery_id(event_id, chosen.recipient_ref, chosen.channel)

    @property
    def item(self) -> dict[str, Any]:
        """The ledger's item of the first recipient; empty when there is none."""
        return table.read_item(self.context, self.delivery_id)

    @property
    def actions(self) -> list[str]:
        """The actions in the event's audit chain, in order."""
        return [entry["action"] for entry in entries(self.context, EVENT_ID)]


def file_recipients(context: DeliveryContext, identities: Identities) -> None:
    """Files the recipients in the registry as they were chosen: active, in care, with their choices."""
    for mail in (*identities.recipients, *identities.fallbacks):
        for one in mail.addressees:
            file_provider(
                context,
                one.provider_id,
                address=mail.address,
                stands_in=mail.fallback_ref and _provider_of(identities, mail.fallback_ref),
                **{
                    name: getattr(mail, name)
                    for name in ("detail", "analysis", "certificate", "language", "bundle")
                },
            )
            if RecipientReason.FALLBACK not in one.reasons:
                file_relationship(context, one.provider_id)


def _provider_of(identities: Identities, recipient_ref: str) -> str:
    """The provider of a recipient."""
    found = (*identities.recipients, *identities.fallbacks)
    return next((o.provider_id for o in found if o.recipient_ref == recipient_ref), "")


SWITCHES = ("active", "notify")


def file_provider(
    context: DeliveryContext,
    provider_id: str,
    *,
    address: str = "",
    stands_in: str = "",
    **more: Any,
) -> None:
    """Files a provider of the registry anew."""
    item = {
        **provider_key(provider_id),
        "provider_id": provider_id,
        "family": "X",
        "email": address,
        "active": True,
        **({"surrogate": stands_in} if stands_in else {}),
        **{name: value for name, value in more.items() if value or name in SWITCHES},
    }
    context.client("dynamodb").put_item(TableName="registry", Item=to_item(item))


def file_relationship(
    context: DeliveryContext, provider_id: str, *, patient_id: str = "p", **more: Any
) -> None:
    """Files a relationship of the registry anew."""
    values = {"provider_id": provider_id, "relationship": "care_team", "active": True, **more}
    item = {**relationship_key(patient_id, provider_id), **values}
    context.client("dynamodb").put_item(TableName="registry", Item=to_item(item))


def beside(context: DeliveryContext, task: dict[str, Any]) -> dict[str, Any]:
    """The result of a run in another sandbox for this task."""
    logger, metrics = Logger(service="beside"), cast(Metrics, Uncounted())
    given = read_as(DeliverNotificationInput, task)
    run = Run(context, AuditStep.DELIVER_NOTIFICATION, given, logger, metrics)
    return to_document(deliver(context, given, run))


class Uncounted:
    """Metrics that nobody reads."""

    def add_metric(self, **metric: Any) -> None:
        """Forgets the metric."""


def with_address(address: str) -> Recipient:
    """The recipient, at another address."""
    return replace(RECIPIENT, address=address)


def sent_mails() -> list[EmailMessage]:
    """The mails that SES took, parsed."""
    return [message_from_bytes(mail, policy=policy.default) for mail in sent_bytes()]


def sent_bytes() -> list[bytes]:
    """The mails that SES took, as they came."""
    return [message.raw_data.encode() for message in _ses().sent_messages]


def sent_ids() -> list[str]:
    """SES's ids of the mails that it took."""
    return [message.id for message in _ses().sent_messages]


def _ses() -> Any:
    return ses_backends[ACCOUNT]["us-east-1"]


def ledger_items() -> list[dict[str, Any]]:
    """Every item of the ledger."""
    return [from_item(item) for item in boto3.client("dynamodb").scan(TableName="ledger")["Items"]]


@contextmanager
def ses_answers(
    context: DeliveryContext, *answers: BaseException | None, after: bool = False
) -> Iterator[list[str]]:
    """SES failing in turn with these, and working where one is None or after the last.

    With `after` it takes the mail first and fails then: the answer is what gets lost. Yields a
    list that grows with each call made.
    """
    ses = context.client("sesv2", SES_CONFIG)
    real, left, calls = ses.send_email, list(answers), []

    def send_email(**arguments: Any) -> Any:
        calls.append("SendEmail")
        failure = left.pop(0) if left else None
        if failure is None or after:
            answer = real(**arguments)
        if failure is not None:
            raise failure
        return answer

    ses.send_email = send_email
    try:
        yield calls
    finally:
        ses.send_email = real


def refusal(code: str, status: int = 400, message: str = "") -> ClientError:
    """SES's answer with this code."""
    return ClientError(
        {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": status},
        },
        "SendEmail",
    )
