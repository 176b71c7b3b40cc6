"""An account is prepared before a deployment, whether it is empty or in use."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from environments import load
from ops.environment.account import (
    FIRST,
    SERVICES,
    create_roles,
    is_first_deployment,
    main,
    missing_roles,
)

TEMPLATE = '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}'


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


@pytest.fixture
def cloudformation() -> Any:
    return boto3.client("cloudformation")


def deploy(cloudformation: Any, *parts: str) -> None:
    for part in parts:
        cloudformation.create_stack(StackName=f"hl7-ens-prod-{part}", TemplateBody=TEMPLATE)


def test_an_empty_account_gets_its_service_linked_roles_and_a_used_one_keeps_them() -> None:
    iam = boto3.client("iam")
    assert missing_roles(iam) == [*SERVICES]
    assert create_roles(iam) == [*SERVICES]
    assert create_roles(iam) == []


def test_a_role_that_iam_has_not_listed_stops_nothing() -> None:
    """IAM API, "ListRoles": a page may be empty although a role is there; terraform-aws-elasticsearch issue 5."""
    iam = boto3.client("iam")
    with Stubber(iam) as stub:
        for _ in SERVICES:
            stub.add_response("list_roles", {"Roles": [], "IsTruncated": True, "Marker": "next"})
        for _ in SERVICES:
            stub.add_client_error("create_service_linked_role", "InvalidInput")
        assert create_roles(iam) == []


def test_a_deployment_is_the_first_until_every_stack_was_created(cloudformation: Any) -> None:
    assert is_first_deployment(cloudformation, "hl7-ens-prod")
    deploy(cloudformation, "network", "core")
    assert is_first_deployment(cloudformation, "hl7-ens-prod")
    deploy(cloudformation, "ingress")
    assert not is_first_deployment(cloudformation, "hl7-ens-prod")


def test_a_stack_whose_creation_was_rolled_back_counts_as_none(
    cloudformation: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(cloudformation, "network", "core", "ingress")
    asked = cloudformation.describe_stacks

    def rolled_back(StackName: str) -> Any:  # noqa: N803  # as boto3 names it
        answer = asked(StackName=StackName)
        if StackName.endswith("-ingress"):
            answer["Stacks"][0]["StackStatus"] = "ROLLBACK_COMPLETE"
        return answer

    monkeypatch.setattr(cloudformation, "describe_stacks", rolled_back)
    assert is_first_deployment(cloudformation, "hl7-ens-prod")


def test_cdk_is_told_of_a_first_deployment_and_of_nothing_later(
    cloudformation: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["prod"]) == 0
    assert capsys.readouterr().out == f"{FIRST}\n"
    deploy(cloudformation, "network", "core", "ingress")
    assert main(["prod"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["local", "nowhere"])
def test_an_environment_that_is_not_deployed_prepares_no_account(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([name]) == 1
    assert "dev, prod, staging" in capsys.readouterr().err
    assert missing_roles(boto3.client("iam")) == [*SERVICES]


def test_an_environment_of_another_account_gets_no_role_in_this_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = replace(load("dev"), account="444455556666")
    monkeypatch.setattr("ops.environment.account.deployable", lambda _: elsewhere)
    assert main(["dev"]) == 1
    assert "belong to account 123456789012, and dev to 444455556666" in capsys.readouterr().err
    assert missing_roles(boto3.client("iam")) == [*SERVICES]
