"""Removes an environment from its account: `make destroy ENV=dev`.

An environment that retains its data is not removed. The order is: receivers, then the core with its data,
then the network, then log groups that AWS services created outside the stacks.
"""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import boto3
from botocore.exceptions import WaiterError

from environments import Environment
from ops import aws_calls
from ops.aws_calls import if_exists
from ops.environment.deployable import deployable, keeps_data, own_account
from ops.problem import FAILURES, ProblemError, sentence

PARTS = ("ingress", "core", "network")
"""The order of deletion: each stack imports values of the next."""

TRIES = 3
"""S3 delivers access logs for hours after the last request, so an empty bucket may get new objects."""

# Lambda releases network interfaces up to 40 minutes after its functions (Lambda developer guide).
WAIT = {"Delay": 15, "MaxAttempts": 240}

BATCH = 1000
"""DeleteObjects takes at most this many keys."""

LEFTOVER_LOGS = (
    "/aws/ecs/containerinsights/{prefix}/",
    "/aws/lambda/{prefix}-",
    "/aws/vendedlogs/pipes/{prefix}-",
    "/aws/vendedlogs/states/{prefix}-",
    "/aws/vpc/{prefix}-",
    "/ecs/{prefix}-",
)
"""Name prefixes of an environment's log groups. ECS creates the first, for Container Insights."""


@dataclass(frozen=True, slots=True)
class AccountClients:
    """The clients of the account and region that an environment is removed from."""

    backup: Any
    cloudformation: Any
    logs: Any
    pipes: Any
    s3: Any

    @classmethod
    def of(cls, region: str) -> "AccountClients":
        """Returns the clients of the signed-in account."""
        return cls(
            *(
                boto3.client(service, region_name=region)
                for service in ("backup", "cloudformation", "logs", "pipes", "s3")
            )
        )


def destroyable(arguments: Sequence[str]) -> Environment:
    """Returns the environment that the first argument names.

    Raises `ProblemError` as `deployable` does, and for an environment that retains its data.
    """
    environment = deployable(arguments)
    name = environment.name
    if keeps_data(environment):
        raise ProblemError(
            f"{name} is not destroyed: environments/{name}.toml sets retain, deletion_protection or"
            ' digest_lock = "compliance", to keep patient data and audit. docs/deploy.md says how to close'
            " such an environment."
        )
    return environment


def destroy(environment: Environment, account: AccountClients, say: Callable[[str], None]) -> None:
    """Deletes the environment's stacks and all data in them.

    Raises `ProblemError` when a stack is protected (nothing is deleted then) or cannot be deleted.
    """
    stacks = [f"{environment.prefix}-{part}" for part in PARTS]
    present = [stack for stack in stacks if _unprotected(account, stack)]
    for stack in present:
        say(f"{stack}: deleting")
        _delete(account, stack, say)
    for group in leftover_log_groups(account.logs, environment.prefix):
        account.logs.delete_log_group(logGroupName=group)
        say(f"log group {group}: deleted")
    say("The environment is deleted. KMS deletes its keys after 30 days, without charge.")


def leftover_log_groups(logs: Any, prefix: str) -> Iterator[str]:
    """Yields the names of the environment's log groups that still exist."""
    for pattern in LEFTOVER_LOGS:
        start = pattern.format(prefix=prefix)
        for page in logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=start):
            for group in page["logGroups"]:
                yield group["logGroupName"]


def empty_bucket(s3: Any, bucket: str) -> int:
    """Deletes every version and delete marker of a bucket. Returns their number."""
    deleted, bypass = 0, _bypass_of_lock(s3, bucket)
    while True:
        # Always the first page: a position in a list that gets shorter could skip versions.
        page = s3.list_object_versions(Bucket=bucket, MaxKeys=BATCH)
        found = [
            {"Key": version["Key"], "VersionId": version["VersionId"]}
            for version in (*page.get("Versions", []), *page.get("DeleteMarkers", []))
        ]
        if not found:
            return deleted
        answer = s3.delete_objects(
            Bucket=bucket, Delete={"Objects": found, "Quiet": True}, **bypass
        )
        if answer.get("Errors"):
            codes = sorted({error["Code"] for error in answer["Errors"]})
            raise ProblemError(f"{bucket}: objects could not be deleted: {', '.join(codes)}.")
        deleted += len(found)


def _bypass_of_lock(s3: Any, bucket: str) -> dict[str, bool]:
    """The parameter that deletes locked versions, for a bucket with Object Lock in mode governance.

    Amazon S3 User Guide, "Locking objects with Object Lock", Bypassing governance mode.
    """
    absent = "ObjectLockConfigurationNotFoundError"
    lock = if_exists(s3.get_object_lock_configuration, absent, Bucket=bucket)
    return {"BypassGovernanceRetention": True} if lock else {}


def empty_backup_vault(backup: Any, vault: str, pause: Callable[[float], None] = time.sleep) -> int:
    """Deletes every recovery point of a backup vault, and waits for the deletion. Returns their number."""
    points = _recovery_points(backup, vault)
    for arn in points:
        backup.delete_recovery_point(BackupVaultName=vault, RecoveryPointArn=arn)
    for _ in range(WAIT["MaxAttempts"]):
        if not _recovery_points(backup, vault):
            return len(points)
        pause(WAIT["Delay"])
    raise ProblemError(f"The recovery points of the backup vault {vault} are not deleted yet.")


def _recovery_points(backup: Any, vault: str) -> list[str]:
    """The ARNs of a vault's recovery points, [] where the vault does not exist."""
    pages = backup.get_paginator("list_recovery_points_by_backup_vault")
    read = pages.paginate(BackupVaultName=vault).build_full_result
    found = if_exists(read, "ResourceNotFoundException") or {"RecoveryPoints": []}
    return [point["RecoveryPointArn"] for point in found["RecoveryPoints"]]


def _unprotected(account: AccountClients, stack: str) -> bool:
    """Whether the stack exists. Raises `ProblemError` when its termination protection is on."""
    found = aws_calls.stack(account.cloudformation, stack)
    if found and found.get("EnableTerminationProtection"):
        raise ProblemError(
            f"The stack {stack} has termination protection: nothing was deleted. Deploy the"
            " environment with deletion_protection = false first."
        )
    return found is not None


def _delete(account: AccountClients, stack: str, say: Callable[[str], None]) -> None:
    for attempt in range(1, TRIES + 1):
        _empty(account, stack, say)
        account.cloudformation.delete_stack(StackName=stack)
        try:
            account.cloudformation.get_waiter("stack_delete_complete").wait(
                StackName=stack, WaiterConfig=WAIT
            )
        except WaiterError:
            say(f"{stack}: not deleted at attempt {attempt} of {TRIES}")
        else:
            say(f"{stack}: deleted")
            return
    raise ProblemError(
        f"The stack {stack} could not be deleted. Its events name the resource:"
        f" aws cloudformation describe-stack-events --stack-name {stack}"
    )


def _empty(account: AccountClients, stack: str, say: Callable[[str], None]) -> None:
    """Stops pipes and access logs, then empties buckets and backup vaults: others cannot be deleted."""
    resources = list(_resources(account.cloudformation, stack))
    for kind, name in resources:
        if kind == "AWS::Pipes::Pipe":
            # ConflictException: it is stopped or stopping already.
            if_exists(account.pipes.stop_pipe, "ConflictException", "NotFoundException", Name=name)
    # A bucket or vault that somebody deleted by hand stays on the stack's list.
    unlogged = partial(account.s3.put_bucket_logging, BucketLoggingStatus={})
    buckets = [
        name
        for kind, name in resources
        if kind == "AWS::S3::Bucket" and if_exists(unlogged, "NoSuchBucket", Bucket=name)
    ]
    for bucket in buckets:
        say(f"{bucket}: {empty_bucket(account.s3, bucket)} versions deleted")
    for kind, name in resources:
        if kind == "AWS::Backup::BackupVault":
            say(f"{name}: {empty_backup_vault(account.backup, name)} recovery points deleted")


def _resources(cloudformation: Any, stack: str) -> Iterator[tuple[str, str]]:
    """Yields type and physical id of the stack's remaining resources."""
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack):
        for resource in page["StackResourceSummaries"]:
            if resource["ResourceStatus"] != "DELETE_COMPLETE" and "PhysicalResourceId" in resource:
                yield resource["ResourceType"], resource["PhysicalResourceId"]


def main(arguments: list[str]) -> int:
    """Destroys the environment in the first argument, after the user has typed its name again."""
    try:
        environment = destroyable(arguments)
        name, account = environment.name, own_account(environment)
        question = f"Delete {name} and all its data in account {account}? Type {name}: "
        if arguments[1:] != ["--yes"] and input(question) != name:
            raise ProblemError("Nothing was deleted.")
        destroy(environment, AccountClients.of(environment.region), print)
    except FAILURES as error:
        print(f"hl7-ens: {sentence(error)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
