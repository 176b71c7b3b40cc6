"""Keys rotated in the middle of a stay: nobody is told twice, and everybody told before is still found."""

import json

import boto3

from lambdas.common.audit import verification
from lambdas.delivery.ledger.context import LedgerContext
from tests.support.messages import of_another_stay, sample, vaulted
from tests.support.workflow import DeployedWorkflow
from tests.workflow.real import actions, addresses_told, functions

PETRA = "petra.lindqvist@millclinic.example"


def rotate(context: LedgerContext, workflow: DeployedWorkflow, secret_id: str) -> None:
    """Adds a key as docs/deploy.md says; the functions start anew with it."""
    secrets = boto3.client("secretsmanager")
    ring = json.loads(secrets.get_secret_value(SecretId=secret_id)["SecretString"])
    newest = f"k{len(ring)}"
    ring |= {newest: f"secret {newest} of {secret_id}", "current": newest}
    secrets.put_secret_value(SecretId=secret_id, SecretString=json.dumps(ring))
    workflow.steps = functions(context.clients)


def told(workflow: DeployedWorkflow, name: str) -> dict[str, object]:
    envelope = vaulted(sample(name))
    assert workflow.run(workflow.send(envelope))["status"] == "SUCCEEDED"
    return envelope


def references(event_id: object) -> set[str]:
    """The ids of the keys in the references of an event's look-ups."""
    items = boto3.client("dynamodb").query(
        TableName="audit",
        KeyConditionExpression="event_id = :e",
        ExpressionAttributeValues={":e": {"S": str(event_id)}},
    )["Items"]
    return {item["patient_ref"]["S"].partition(".")[0] for item in items if "patient_ref" in item}


def test_after_a_rotation_of_the_reference_key_a_stay_goes_on_as_before(
    context: LedgerContext, whole: DeployedWorkflow
) -> None:
    admission = told(whole, "admission")
    assert addresses_told() == {PETRA: 1}
    rotate(context, whole, "reference-key")
    rotate(context, whole, "reference-key")

    whole.run(whole.send(admission))
    assert actions(str(admission["event_id"]))[-2:] == ["DUPLICATE", "COMPLETED"]
    whole.run(whole.send({**admission, "replay": "an operator"}))
    assert addresses_told() == {PETRA: 1}, "a replay tells nobody twice"
    assert references(admission["event_id"]) == {"k1"}

    transfer = told(whole, "transfer")
    assert addresses_told() == {PETRA: 2}, "the next event of the stay is told once"
    assert references(transfer["event_id"]) == {"k1"}
    told(whole, "cancel")
    assert addresses_told() == {PETRA: 3}, "the cancellation finds who was told before"

    later = vaulted(of_another_stay(sample("admission"), b"LATER"))
    whole.run(whole.send(later))
    assert addresses_told() == {PETRA: 4}
    assert references(later["event_id"]) == {"k3"}, "a new stay uses the current key"
    assert verification.verify(context, str(admission["event_id"])).holds


def test_after_a_rotation_of_the_audit_key_a_stored_mail_is_still_our_own(
    context: LedgerContext, whole: DeployedWorkflow
) -> None:
    admission = told(whole, "admission")
    rotate(context, whole, "audit-key")
    whole.run(whole.send({**admission, "replay": "an operator"}))
    assert addresses_told() == {PETRA: 1}
    told(whole, "transfer")
    assert addresses_told() == {PETRA: 2}
    assert verification.verify(context, str(admission["event_id"])).holds
