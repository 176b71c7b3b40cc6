"""Checks that no physical name is in use by a resource outside the environment's stacks.

A deleted stack leaves its retained resources. CloudFormation then fails to create another with the same
name (AWS::EarlyValidation::ResourceExistenceCheck, or AlreadyExists).
"""

from collections.abc import Callable, Iterator
from typing import Any

from ops.aws_calls import if_exists
from ops.aws_calls import stack as described
from ops.environment.preflight.check_input import ClientFactory, Plan
from ops.environment.preflight.finding import PreflightFinding, error, ok

MISSING = frozenset(
    {
        "404",
        "AWS.SimpleQueueService.NonExistentQueue",
        "NotFound",
        "NotFoundException",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
    }
)

Exists = Callable[[ClientFactory, str], bool]


def _exists(service: str, operation: str, parameter: str) -> Exists:
    """A function that calls the operation, and returns False for an error code in `MISSING`."""

    def exists(clients: ClientFactory, name: str) -> bool:
        call = getattr(clients.client(service), operation)
        return if_exists(call, *MISSING, **{parameter: name}) is not None

    return exists


def _log_group(clients: ClientFactory, name: str) -> bool:
    answer = clients.client("logs").describe_log_groups(logGroupNamePrefix=name, limit=50)
    return any(group["logGroupName"] == name for group in answer["logGroups"])


def _backup_vault(clients: ClientFactory, name: str) -> bool:
    # DescribeBackupVault denies access to a vault that does not exist; the list shows those that do.
    pages = clients.client("backup").get_paginator("list_backup_vaults").paginate()
    return any(
        vault["BackupVaultName"] == name for page in pages for vault in page["BackupVaultList"]
    )


# By type: the property that holds the name, and how to look it up.
KINDS: dict[str, tuple[str, Exists]] = {
    "AWS::DynamoDB::Table": ("TableName", _exists("dynamodb", "describe_table", "TableName")),
    "AWS::SQS::Queue": ("QueueName", _exists("sqs", "get_queue_url", "QueueName")),
    "AWS::S3::Bucket": ("BucketName", _exists("s3", "head_bucket", "Bucket")),
    "AWS::Logs::LogGroup": ("LogGroupName", _log_group),
    "AWS::Backup::BackupVault": ("BackupVaultName", _backup_vault),
    "AWS::KMS::Alias": ("AliasName", _exists("kms", "describe_key", "KeyId")),
    "AWS::SES::EmailIdentity": (
        "EmailIdentity",
        _exists("sesv2", "get_email_identity", "EmailIdentity"),
    ),
    "AWS::SES::ConfigurationSet": (
        "Name",
        _exists("sesv2", "get_configuration_set", "ConfigurationSetName"),
    ),
}

IMPORT = (
    "adopt it with its data: make synth ENV={environment}, then npx --no-install cdk import {stack}"
    " --app .build/cdk.out/{environment}; or delete it, if nothing in it is needed"
)
ADOPT = {"AWS::SES::EmailIdentity": "set mail.create to false in {file}"}
"""The remedy for a type that the environment's file can adopt without `cdk import`."""


def check(plan: Plan, clients: ClientFactory) -> Iterator[PreflightFinding]:
    """Yields an error for each name of the assembly that exists and is not a resource of its stack."""
    deployed = owned(clients.client("cloudformation"), plan.assembly.stacks)
    looked_at = 0
    taken = False
    for resource in plan.assembly.of_type(*KINDS):
        named_by, exists = KINDS[resource.type]
        name = resource.text(named_by)
        if not name or (resource.stack, resource.logical_id) in deployed:
            continue
        looked_at += 1
        if exists(clients, name):
            taken = True
            yield error(
                f"{resource.type} {name} exists and belongs to no stack of this environment",
                f"{resource.stack}: {resource.logical_id}",
                ADOPT.get(resource.type, IMPORT).format(
                    file=plan.file, stack=resource.stack, environment=plan.environment.name
                ),
            )
    if not taken:
        yield ok(f"{looked_at} names to create are free")


def owned(cloudformation: Any, stacks: tuple[str, ...]) -> set[tuple[str, str]]:
    """Returns stack and logical id of everything that the deployed stacks own."""
    found = set()
    for stack in stacks:
        if not described(cloudformation, stack):
            continue
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
        for page in pages:
            for resource in page["StackResourceSummaries"]:
                if resource["ResourceStatus"] not in ("DELETE_COMPLETE", "DELETE_SKIPPED"):
                    found.add((stack, resource["LogicalResourceId"]))
    return found
