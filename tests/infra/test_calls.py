"""The reading of AWS calls from code: what it finds, and that it fails where it cannot tell."""

from pathlib import Path

import pytest

from infra.reference.table import UnknownCallError
from tests.infra.grants import PRINCIPALS, code_calls
from tests.support.aws_calls.calls import AwsCall, CallFinder, UnreadableCallError
from tests.support.aws_calls.program import Program

CLIENT = """
import boto3

def client(service):
    return boto3.client(service)
"""


def found(folder: Path, handler: str) -> set[tuple[str, str]]:
    """Actions and resources of a function with this handler, beside a module `aws` with `client`."""
    package = folder / "step"
    package.mkdir()
    (package / "aws.py").write_text(CLIENT)
    (package / "handler.py").write_text(f"from step.aws import client\n{handler}")
    calls: frozenset[AwsCall] = CallFinder(Program(folder, "step.handler")).calls()
    return {(call.action, call.resource) for call in calls}


def test_a_call_is_found_with_its_table(tmp_path: Path) -> None:
    code = """
def handle(event):
    client("dynamodb").get_item(TableName=required("ENS_T"), Key={})
"""
    assert found(tmp_path, code) == {("dynamodb:GetItem", "${ENS_T}")}


def test_a_name_is_followed_to_the_callers(tmp_path: Path) -> None:
    code = """
def handle(event):
    write(event["id"], "a.json")
    write(event["id"], "b.json", version="1")

def write(event_id, name, **more):
    client("s3").put_object(Bucket=required("ENS_B"), Key=f"events/{event_id}/{name}")
"""
    assert found(tmp_path, code) == {
        ("s3:PutObject", "${ENS_B}/events/*/a.json"),
        ("s3:PutObject", "${ENS_B}/events/*/b.json"),
    }


def test_a_version_that_may_be_missing_needs_both_actions(tmp_path: Path) -> None:
    code = """
def handle(event):
    version = {"VersionId": event["v"]} if event["v"] else {}
    client("s3").get_object(Bucket=required("ENS_B"), Key="k", **version)
"""
    assert found(tmp_path, code) == {
        ("s3:GetObject", "${ENS_B}/k"),
        ("s3:GetObjectVersion", "${ENS_B}/k"),
    }


def test_code_that_nothing_reaches_makes_no_call(tmp_path: Path) -> None:
    (tmp_path / "step").mkdir()
    (tmp_path / "step" / "shared.py").write_text(
        f"{CLIENT}\ndef never():\n    client('sqs').send_message(QueueUrl=required('ENS_Q'))\n"
        "def always():\n    return 1\n"
    )
    (tmp_path / "step" / "handler.py").write_text(
        "from step.shared import always\ndef handle(event):\n    return always()\n"
    )
    assert CallFinder(Program(tmp_path, "step.handler")).calls() == frozenset()


def test_a_call_that_aws_grants_on_no_resource_is_found_without_one(tmp_path: Path) -> None:
    """Service authorization reference, Amazon SES v2: GetAccount has no resource type."""
    code = """
def handle(event):
    client("sesv2").get_account()
"""
    assert found(tmp_path, code) == {("ses:GetAccount", "*")}


def test_the_receivers_client_is_known_by_its_service_and_not_by_its_name() -> None:
    """Two clients of S3: `aws.s3` for the vault, `aws.configuration` for the document."""
    read = {call.resource for call in code_calls("Receiver") if call.action == "s3:GetObject"}
    assert "${ENS_CONFIGURATION_BUCKET}/${ENS_CONFIGURATION_KEY}" in read


@pytest.mark.parametrize(
    ("step", "module"),
    [
        ("DeliverNotification", "lambdas.delivery"),
        ("ReleaseDeliveries", "lambdas.common.aws"),
    ],
)
def test_calls_in_packages_that_functions_share_are_found(step: str, module: str) -> None:
    assert any(call.where.startswith(f"{module}.") for call in code_calls(step))


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ('client("dynamodb").get_item(TableName=event["t"])', UnreadableCallError),
        ('client("dynamodb").get_itm(TableName=required("ENS_T"))', UnreadableCallError),
        ('event["client"].put_object(Bucket="b", Key="k")', UnreadableCallError),
        ('keep(client("sns"))', UnreadableCallError),
        ('getattr(client("sqs"), event["m"])(QueueUrl=required("ENS_Q"))', UnreadableCallError),
        ('client("sesv2").send_email(Content=event["c"])', UnreadableCallError),
        ('client("s3").create_session(Bucket=required("ENS_B"))', UnknownCallError),
    ],
)
def test_a_call_that_cannot_be_read_is_an_error(
    tmp_path: Path, body: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        found(tmp_path, f"def handle(event):\n    {body}\n")


@pytest.mark.parametrize("principal", PRINCIPALS)
def test_every_principal_of_ours_can_be_read(principal: str) -> None:
    assert code_calls(principal)


def test_mails_are_sent_raw_and_a_release_invokes_a_function() -> None:
    """The two calls whose grant and endpoint were missing once."""
    deliver = {call.action for call in code_calls("DeliverNotification")}
    assert {action for action in deliver if action.startswith("ses:")} == {"ses:SendRawEmail"}
    release = {call.action for call in code_calls("ReleaseDeliveries")}
    assert "lambda:InvokeFunction" in release
