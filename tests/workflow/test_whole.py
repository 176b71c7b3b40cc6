"""The workflow with its real handlers: what the providers get, whatever breaks on the way."""

from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import boto3
import pytest

from lambdas.common.audit import verification
from lambdas.delivery.ledger.context import LedgerContext
from lambdas.delivery.mail.mailer import SES_CONFIG
from lambdas.extract_entities.comprehend_medical.comprehend import CONFIG as COMPREHEND_CONFIG
from tests.support.broken import declining, refusing
from tests.support.messages import sample, vaulted, with_pdf
from tests.support.workflow import STEPS, DeployedWorkflow
from tests.workflow.conftest import dead_letters, status_of, waiting
from tests.workflow.real import actions, addresses_told, dying, texts_sent

PETRA = "petra.lindqvist@millclinic.example"
WEI = "wei.chen@heartcare.example"


def again(workflow: DeployedWorkflow, record: dict[str, Any]) -> dict[str, Any]:
    """Runs the message as the queue would deliver it again, without waiting for its visibility."""
    boto3.client("sqs").change_message_visibility(
        QueueUrl=workflow.queue_url, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=0
    )
    return workflow.run(workflow.receive())


def test_an_admission_reaches_the_primary_care_provider(
    context: LedgerContext, whole: DeployedWorkflow
) -> None:
    envelope = vaulted(sample("admission"))
    assert whole.run(whole.send(envelope))["status"] == "SUCCEEDED"
    assert addresses_told() == {PETRA: 1}
    assert actions(envelope["event_id"]) == [
        "RECEIVED",
        "PARSED",
        "DECIDED",
        "QUERIED",
        "RESOLVED",
        "EXTRACTED",
        "SENT",
        "COMPLETED",
    ]
    assert verification.verify(context, envelope["event_id"]).holds


def test_the_same_message_twice_is_told_once(whole: DeployedWorkflow) -> None:
    envelope = vaulted(sample("admission"))
    whole.run(whole.send(envelope))
    assert whole.run(whole.send(envelope))["status"] == "SUCCEEDED"
    assert addresses_told() == {PETRA: 1}
    assert actions(envelope["event_id"])[-2:] == ["DUPLICATE", "COMPLETED"]


def test_a_replay_passes_the_duplicate_check_and_sends_no_second_mail(
    whole: DeployedWorkflow,
) -> None:
    envelope = vaulted(sample("admission"))
    whole.run(whole.send(envelope))
    execution = whole.run(whole.send({**envelope, "replay": "an operator"}))
    assert execution["output"]["event"]["duplicate"] is False
    assert addresses_told() == {PETRA: 1}
    assert "ALREADY_SENT" in actions(envelope["event_id"])


@pytest.mark.parametrize(
    ("name", "error", "step"),
    [
        ("no_pid", "UnprocessableMessageError", "ParseMessage"),
        ("not_hl7", "UnprocessableMessageError", "ParseMessage"),
        ("wrong_version", "UnprocessableMessageError", "ParseMessage"),
        ("conflict", "IdentityConflictError", "LookupIdentities"),
        ("unknown_patient", "IdentityNotFoundError", "LookupIdentities"),
    ],
)
def test_what_nobody_can_deliver_becomes_a_dead_letter_under_its_own_name(
    whole: DeployedWorkflow, name: str, error: str, step: str
) -> None:
    envelope = vaulted(sample(name))
    execution = whole.run(whole.send(envelope))
    assert execution["output"]["error"] == error
    assert execution["output"]["failed_step"] == step
    assert status_of(envelope["event_id"])["status"] == "FAILED"
    assert status_of(envelope["event_id"])["error_name"] == error
    assert len(dead_letters(whole)) == 1
    assert waiting(whole) == (0, 0)
    assert not addresses_told()


def test_an_event_without_recipient_ends_well_and_is_audited_as_such(
    whole: DeployedWorkflow,
) -> None:
    envelope = vaulted(sample("no_recipient"))
    assert whole.run(whole.send(envelope))["status"] == "SUCCEEDED"
    assert actions(envelope["event_id"])[-2:] == ["NO_RECIPIENT", "COMPLETED"]


@pytest.mark.parametrize("name", ["bed_move", "merge"])
def test_what_is_no_notification_ends_well_and_tells_nobody(
    whole: DeployedWorkflow, name: str
) -> None:
    envelope = vaulted(sample(name))
    assert whole.run(whole.send(envelope))["status"] == "SUCCEEDED"
    assert actions(envelope["event_id"])[-2:] == ["NOT_NOTIFIABLE", "COMPLETED"]
    assert not addresses_told()


@pytest.mark.parametrize("name", ["ed_registration", "transfer", "discharge", "discharge_expired"])
def test_every_kind_of_event_is_told(whole: DeployedWorkflow, name: str) -> None:
    assert whole.run(whole.send(vaulted(sample(name))))["status"] == "SUCCEEDED"
    assert sum(addresses_told().values()) >= 1


def test_a_message_of_300_kb_is_told_like_any_other(whole: DeployedWorkflow) -> None:
    assert whole.run(whole.send(vaulted(with_pdf())))["status"] == "SUCCEEDED"
    assert addresses_told() == {PETRA: 1}


@pytest.mark.parametrize("after", [False, True], ids=["before its work", "after its work"])
@pytest.mark.parametrize("step", STEPS)
def test_a_second_run_after_a_crash_tells_each_provider_once(
    context: LedgerContext, whole: DeployedWorkflow, step: str, after: bool
) -> None:
    real = whole.steps[step]
    whole.steps[step] = dying(real, after=after, times=2)
    envelope = vaulted(sample("two_recipients"))
    record = whole.send(envelope)
    first = whole.run(record)
    # The notification goes out without its clinical part; every other crash fails the execution.
    assert first["status"] == ("SUCCEEDED" if step == "ExtractEntities" else "FAILED")
    if step != "ExtractEntities":
        whole.steps[step] = real
        assert again(whole, record)["status"] == "SUCCEEDED"
    assert addresses_told() == {PETRA: 1, WEI: 1}
    assert status_of(envelope["event_id"])["status"] == "COMPLETED"
    assert verification.verify(context, envelope["event_id"]).holds


# Botocore tries twice by itself, so six refusals fail three invocations.
TROUBLES = [
    ("s3", "GetObject", "SlowDown", 503, 6),
    ("s3", "PutObject", "InternalError", 500, 6),
    ("dynamodb", "GetItem", "ThrottlingException", 400, 6),
    ("dynamodb", "BatchGetItem", "ProvisionedThroughputExceededException", 400, 6),
    ("dynamodb", "TransactWriteItems", "InternalServerError", 500, 6),
    ("secretsmanager", "GetSecretValue", "InternalServiceError", 500, 6),
    # Its other operation answers: what that found goes out at once, and the rest is named.
    ("comprehendmedical", "DetectEntitiesV2", "TooManyRequestsException", 429, 3),
]


@pytest.mark.parametrize(("service", "operation", "code", "status", "times"), TROUBLES)
def test_a_dependency_that_fails_three_times_and_recovers_costs_nobody_a_notification(
    context: LedgerContext,
    whole: DeployedWorkflow,
    service: str,
    operation: str,
    code: str,
    status: int,
    times: int,
) -> None:
    own = service == "comprehendmedical"
    broken = context.client(service, COMPREHEND_CONFIG) if own else context.client(service)
    record = whole.send(vaulted(sample("admission")))
    with (
        refusing(broken, operation, code, status, times) as refused,
        patch("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None)),
    ):
        execution = whole.run(record)
    assert len(refused) == times
    assert execution["status"] == "SUCCEEDED"
    assert addresses_told() == {PETRA: 1}
    assert "I48" in texts_sent()[0] or "atrial" in texts_sent()[0].lower()


def test_ses_throttling_three_times_costs_nobody_a_notification(
    context: LedgerContext, whole: DeployedWorkflow
) -> None:
    with declining(
        context.client("sesv2", SES_CONFIG), "SendEmail", "TooManyRequestsException", 429, 3
    ):
        assert whole.run(whole.send(vaulted(sample("admission"))))["status"] == "SUCCEEDED"
    assert addresses_told() == {PETRA: 1}


def test_ses_refusing_one_of_two_recipients_does_not_keep_the_other_from_being_told(
    context: LedgerContext,
    whole: DeployedWorkflow,
) -> None:
    envelope = vaulted(sample("two_recipients"))
    with declining(context.client("sesv2", SES_CONFIG), "SendEmail", "MessageRejected", 400, 1):
        execution = whole.run(whole.send(envelope))
    assert execution["status"] == "SUCCEEDED"
    outcomes = sorted(o["outcome"] for o in execution["output"]["deliveries"]["outcomes"])
    assert outcomes == ["refused", "sent"]
    assert sum(addresses_told().values()) == 1
    assert {"SENT", "REFUSED", "COMPLETED"} <= set(actions(envelope["event_id"]))


def test_a_dead_clinical_service_is_named_in_the_notification(
    context: LedgerContext, whole: DeployedWorkflow
) -> None:
    broken = context.client("comprehendmedical", COMPREHEND_CONFIG)
    with refusing(broken, "InferICD10CM", "InternalServerException", 500):
        assert whole.run(whole.send(vaulted(sample("admission"))))["status"] == "SUCCEEDED"
    assert "not analysed" in texts_sent()[0].lower()


def test_an_ambiguous_send_is_parked_and_never_repeated(
    context: LedgerContext, whole: DeployedWorkflow
) -> None:
    envelope = vaulted(sample("admission"))
    with declining(context.client("sesv2", SES_CONFIG), "SendEmail", "InternalFailure", 500):
        execution = whole.run(whole.send(envelope))
    assert execution["status"] == "SUCCEEDED"
    assert "UNKNOWN" in actions(envelope["event_id"])
    whole.run(whole.send({**envelope, "replay": "an operator"}))
    assert not addresses_told()
