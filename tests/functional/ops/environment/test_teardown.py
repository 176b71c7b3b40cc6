"""`make destroy` leaves nothing of dev behind, and does not touch an environment that keeps its data."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends

from environments import load, names
from ops.environment import teardown
from ops.environment.teardown import (
    AccountClients,
    destroy,
    destroyable,
    empty_backup_vault,
    empty_bucket,
)
from ops.problem import ProblemError

BUCKET = {
    "Resources": {
        "BucketVault": {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "BucketName": "vault-of-dev",
                "VersioningConfiguration": {"Status": "Enabled"},
            },
        },
        "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/ecs/other"}},
    }
}
TOPIC = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[AccountClients]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield AccountClients.of("us-east-1")


@pytest.fixture
def deployed(account: AccountClients) -> AccountClients:
    for part, template in (("network", TOPIC), ("core", BUCKET), ("ingress", TOPIC)):
        account.cloudformation.create_stack(
            StackName=f"hl7-ens-dev-{part}", TemplateBody=json.dumps(template)
        )
    # moto's CloudFormation passes over the bucket's versioning.
    account.s3.put_bucket_versioning(
        Bucket="vault-of-dev", VersioningConfiguration={"Status": "Enabled"}
    )
    for _ in range(3):
        account.s3.put_object(Bucket="vault-of-dev", Key="events/1/message.hl7", Body=b"MSH")
    account.s3.delete_object(Bucket="vault-of-dev", Key="events/1/message.hl7")
    account.logs.create_log_group(logGroupName="/aws/ecs/containerinsights/hl7-ens-dev/performance")
    account.logs.create_log_group(logGroupName="/aws/lambda/hl7-ens-prod-ParseMessage")
    return account


def stacks(account: AccountClients) -> list[str]:
    found = account.cloudformation.describe_stacks()["Stacks"]
    return [stack["StackName"] for stack in found]


def groups(account: AccountClients) -> list[str]:
    return [g["logGroupName"] for g in account.logs.describe_log_groups()["logGroups"]]


def said(lines: list[str]) -> Callable[[str], None]:
    return lines.append


def test_nothing_of_dev_is_left_and_nothing_else_is_touched(deployed: AccountClients) -> None:
    lines: list[str] = []
    destroy(destroyable(["dev"]), deployed, said(lines))
    assert stacks(deployed) == []
    assert deployed.s3.list_buckets()["Buckets"] == []
    assert groups(deployed) == ["/aws/lambda/hl7-ens-prod-ParseMessage"]
    assert "vault-of-dev: 4 versions deleted" in lines


def test_the_stacks_are_deleted_before_the_stack_whose_exports_they_use(
    deployed: AccountClients,
) -> None:
    lines: list[str] = []
    destroy(destroyable(["dev"]), deployed, said(lines))
    deleted = [line.split(":")[0] for line in lines if line.endswith(": deleted")]
    assert deleted[:3] == ["hl7-ens-dev-ingress", "hl7-ens-dev-core", "hl7-ens-dev-network"]


def test_destroying_again_finds_nothing_and_ends_well(deployed: AccountClients) -> None:
    destroy(destroyable(["dev"]), deployed, print)
    destroy(destroyable(["dev"]), deployed, print)
    assert stacks(deployed) == []


def test_a_bucket_that_somebody_removed_by_hand_stops_nothing(
    deployed: AccountClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CloudFormation lists a resource that it could not delete until the stack is gone."""
    empty_bucket(deployed.s3, "vault-of-dev")
    deployed.s3.delete_bucket(Bucket="vault-of-dev")
    delete = deployed.cloudformation.delete_stack

    def delete_with_bucket(StackName: str) -> None:  # noqa: N803  # as boto3 names it
        if StackName.endswith("-core"):
            # CloudFormation passes over a bucket that is gone; moto's raises.
            deployed.s3.create_bucket(Bucket="vault-of-dev")
        delete(StackName=StackName)

    monkeypatch.setattr(deployed.cloudformation, "delete_stack", delete_with_bucket)
    destroy(destroyable(["dev"]), deployed, print)
    assert stacks(deployed) == []


def test_a_backup_vault_that_somebody_removed_by_hand_has_no_recovery_points() -> None:
    backup = boto3.client("backup", region_name="us-east-1")
    with Stubber(backup) as stub:
        for _ in range(2):
            stub.add_client_error(
                "list_recovery_points_by_backup_vault", "ResourceNotFoundException"
            )
        assert empty_backup_vault(backup, "hl7-ens-dev") == 0


def test_a_bucket_that_fills_while_its_stack_is_deleted_is_emptied_again(
    deployed: AccountClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3 delivers access logs hours after the requests; CloudFormation deletes no bucket with objects."""
    late = [b"log"]
    delete = deployed.cloudformation.delete_stack

    def delete_after_a_late_log(StackName: str) -> None:  # noqa: N803  # as boto3 names it
        if StackName.endswith("-core") and late:
            deployed.s3.put_object(Bucket="vault-of-dev", Key="late", Body=late.pop())
        try:
            delete(StackName=StackName)
        except ClientError as error:
            # moto raises at once; CloudFormation ends as DELETE_FAILED, which the waiter reports.
            assert "BucketNotEmpty" in str(error)

    monkeypatch.setattr(deployed.cloudformation, "delete_stack", delete_after_a_late_log)
    monkeypatch.setattr(teardown, "WAIT", {"Delay": 0, "MaxAttempts": 2})
    destroy(destroyable(["dev"]), deployed, print)
    assert stacks(deployed) == []


@pytest.mark.parametrize("name", ["prod", "local", "nowhere", ""])
def test_an_environment_that_keeps_its_data_or_is_none_is_refused(name: str) -> None:
    with pytest.raises(ProblemError, match=r"is not destroyed|not a deployable environment"):
        destroyable([name])


def test_every_environment_that_retains_data_is_refused_and_the_others_are_not() -> None:
    for environment in map(load, names()):
        if environment.network and not environment.retain and not environment.deletion_protection:
            assert destroyable([environment.name]) == environment


def test_locked_digests_refuse_the_whole_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """S3 refused them when receivers and messages were gone already."""
    dev = load("dev")
    locked = replace(dev, audit=replace(dev.audit, digest_lock="compliance"))
    monkeypatch.setattr(teardown, "deployable", lambda _: locked)
    with pytest.raises(ProblemError, match="compliance"):
        destroyable(["dev"])


def test_a_protected_stack_stops_everything_before_anything_is_deleted(
    deployed: AccountClients,
) -> None:
    deployed.cloudformation.delete_stack(StackName="hl7-ens-dev-network")
    deployed.cloudformation.create_stack(
        StackName="hl7-ens-dev-network",
        TemplateBody=json.dumps(TOPIC),
        EnableTerminationProtection=True,
    )
    with pytest.raises(ProblemError, match="termination protection"):
        destroy(destroyable(["dev"]), deployed, print)
    assert len(stacks(deployed)) == 3
    assert deployed.s3.list_object_versions(Bucket="vault-of-dev")["Versions"]


def test_who_types_another_name_deletes_nothing(
    deployed: AccountClients, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("builtins.input", lambda _: "prod")
    assert teardown.main(["dev"]) == 1
    assert "Nothing was deleted." in capsys.readouterr().err
    assert len(stacks(deployed)) == 3


def test_the_environment_of_another_account_is_not_deleted(
    deployed: AccountClients, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each account may have a dev: the credentials must be those of the account in the file."""
    elsewhere = replace(load("dev"), account="444455556666")
    monkeypatch.setattr(teardown, "destroyable", lambda _: elsewhere)
    assert teardown.main(["dev", "--yes"]) == 1
    assert "belong to account 123456789012, and dev to 444455556666" in capsys.readouterr().err
    assert len(stacks(deployed)) == 3


@pytest.mark.slow
def test_a_bucket_of_thousands_of_versions_is_emptied(account: AccountClients) -> None:
    account.s3.create_bucket(Bucket="many")
    account.s3.put_bucket_versioning(Bucket="many", VersioningConfiguration={"Status": "Enabled"})
    for number in range(1100):
        s3_backends[DEFAULT_ACCOUNT_ID]["aws"].put_object("many", f"events/{number}", b"")
    assert empty_bucket(account.s3, "many") == 1100
    assert "Versions" not in account.s3.list_object_versions(Bucket="many")


def test_recovery_points_are_deleted_and_their_end_is_waited_for() -> None:
    backup: Any = boto3.client("backup", region_name="us-east-1")
    arn = "arn:aws:backup:us-east-1:123456789012:recovery-point:1"
    vault = {"BackupVaultName": "hl7-ens-staging"}
    some: dict[str, Any] = {"RecoveryPoints": [{"RecoveryPointArn": arn}]}
    none: dict[str, Any] = {"RecoveryPoints": []}
    waited: list[float] = []
    with Stubber(backup) as stub:
        stub.add_response("list_recovery_points_by_backup_vault", some, vault)
        stub.add_response("delete_recovery_point", {}, {**vault, "RecoveryPointArn": arn})
        stub.add_response("list_recovery_points_by_backup_vault", some, vault)
        stub.add_response("list_recovery_points_by_backup_vault", none, vault)
        assert empty_backup_vault(backup, "hl7-ens-staging", waited.append) == 1
        stub.assert_no_pending_responses()
    assert len(waited) == 1
