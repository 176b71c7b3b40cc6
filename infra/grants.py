"""Policy statements for exactly what a principal does with a vault, table, queue or secret.

CDK's own `grant_*` methods give wildcards (`s3:GetObject*`, `kms:ReEncrypt*`); these name each action,
and let a key be used only through the service that holds the data.
"""

from collections.abc import Iterable, Sequence
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs

from infra.core.stores.keys import USE_ACTIONS

MAC_ACTIONS = frozenset({"kms:GenerateMac", "kms:VerifyMac"})
"""Calls of KMS by the functions themselves."""


def allow(actions: Sequence[str], resources: Sequence[str]) -> iam.PolicyStatement:
    """Returns the statement that allows these actions on these resources."""
    return iam.PolicyStatement(actions=list(actions), resources=list(resources))


def calls(statements: Iterable[iam.PolicyStatement]) -> frozenset[str]:
    """Returns the actions that these statements allow, of kms only those that the principal calls itself.

    Stores use the other keys.
    """
    actions = {action for statement in statements for action in statement.actions}
    return frozenset(a for a in actions if not a.startswith("kms:") or a in MAC_ACTIONS)


def seal_audit(keys: Sequence[kms.IKey]) -> list[iam.PolicyStatement]:
    """Returns the statement to seal audit chains with the newest of these keys, and not to verify seals."""
    return [allow(("kms:GenerateMac",), [keys[0].key_arn])]


def verify_seals(keys: Sequence[kms.IKey]) -> list[iam.PolicyStatement]:
    """Returns the statement to verify seals of audit chains by any of these keys, and not to make any."""
    return [allow(("kms:VerifyMac",), [key.key_arn for key in keys])]


def use_key(key: kms.IKey | None, service: str, actions: Sequence[str]) -> iam.PolicyStatement:
    """Returns the statement for the use of a store's own key through `service` (`s3`, `sqs`, …) alone.

    AWS KMS Developer Guide, "AWS KMS condition keys", kms:ViaService.
    """
    key = cast(kms.IKey, key)
    region = cdk.Stack.of(key).region
    return iam.PolicyStatement(
        actions=list(actions),
        resources=[key.key_arn],
        conditions={"StringEquals": {"kms:ViaService": f"{service}.{region}.amazonaws.com"}},
    )


def read_objects(bucket: s3.IBucket, *patterns: str) -> list[iam.PolicyStatement]:
    """Returns the statements to read the newest version of objects whose keys match.

    Amazon S3 User Guide, "Required permissions for Amazon S3 API operations".
    """
    return _on_objects(bucket, patterns, "s3:GetObject", "kms:Decrypt")


def read_versions(bucket: s3.IBucket, *patterns: str) -> list[iam.PolicyStatement]:
    """Returns the statements to read named versions of objects whose keys match.

    S3 authorises these as another action (Amazon S3 User Guide, "Required permissions for Amazon S3 API
    operations").
    """
    return _on_objects(bucket, patterns, "s3:GetObjectVersion", "kms:Decrypt")


def write_objects(bucket: s3.IBucket, *patterns: str) -> list[iam.PolicyStatement]:
    """Returns the statements to write objects whose keys match. They do not allow to decrypt them.

    Amazon S3 User Guide, "Using server-side encryption with AWS KMS keys (SSE-KMS)".
    """
    return _on_objects(bucket, patterns, "s3:PutObject", "kms:GenerateDataKey")


def use_table(
    table: dynamodb.Table, *actions: str, indexes: Sequence[str] = ()
) -> list[iam.PolicyStatement]:
    """Returns the statements for item actions (`GetItem` …) on a table, and for Query on these indexes."""
    found = []
    if actions:
        found.append(allow([f"dynamodb:{action}" for action in actions], [table.table_arn]))
    if indexes:
        arns = [f"{table.table_arn}/index/{index}" for index in indexes]
        found.append(allow(("dynamodb:Query",), arns))
    return [*found, use_key(table.encryption_key, "dynamodb", USE_ACTIONS)]


def use_item(table: dynamodb.Table, item_key: str, *actions: str) -> list[iam.PolicyStatement]:
    """Returns the statements for item actions on the items of a partition key, and for the table's key."""
    return [
        on_items(table, (item_key,), *actions),
        use_key(table.encryption_key, "dynamodb", USE_ACTIONS),
    ]


def on_items(
    table: dynamodb.ITable, item_keys: Sequence[str], *actions: str
) -> iam.PolicyStatement:
    """Returns the statement for item actions on the items of these partition keys; one with `*` is a pattern.

    Amazon DynamoDB Developer Guide, "Using IAM policy conditions for fine-grained access control"
    (`dynamodb:LeadingKeys`).
    """
    statement = allow([f"dynamodb:{action}" for action in actions], [table.table_arn])
    operator = "StringLike" if any("*" in one for one in item_keys) else "StringEquals"
    statement.add_condition(f"ForAllValues:{operator}", {"dynamodb:LeadingKeys": list(item_keys)})
    return statement


def read_secret(secret: secretsmanager.ISecret) -> list[iam.PolicyStatement]:
    """Returns the statements to read a secret's value.

    AWS Secrets Manager User Guide, "Secret encryption and decryption".
    """
    return [
        allow(("secretsmanager:GetSecretValue",), [secret.secret_arn]),
        use_key(secret.encryption_key, "secretsmanager", ("kms:Decrypt",)),
    ]


def read_foreign_secret(secret_arn: str, key_arn: str) -> list[iam.PolicyStatement]:
    """Returns the statements to read a secret of another stack, none without an ARN.

    `key_arn` is "" for a secret under the AWS managed key, which needs no statement.
    """
    if not secret_arn:
        return []
    secret = allow(("secretsmanager:GetSecretValue",), [secret_arn])
    if not key_arn:
        return [secret]
    via = {"kms:ViaService": f"secretsmanager.{cdk.Aws.REGION}.amazonaws.com"}
    key = iam.PolicyStatement(
        actions=["kms:Decrypt"], resources=[key_arn], conditions={"StringEquals": via}
    )
    return [secret, key]


def send_messages(queue: sqs.IQueue, *more: str) -> list[iam.PolicyStatement]:
    """Returns the statements to send to a queue under its key, and for further actions on the queue.

    Amazon SQS Developer Guide, "Key management": a producer needs GenerateDataKey and Decrypt.
    """
    return [
        allow(("sqs:SendMessage", *(f"sqs:{action}" for action in more)), [queue.queue_arn]),
        use_key(queue.encryption_master_key, "sqs", ("kms:Decrypt", "kms:GenerateDataKey")),
    ]


def send_mail(from_address: str, arns: Sequence[str]) -> iam.PolicyStatement:
    """Returns the statement to send MIME mails through SES from one address.

    SES v2 authorises SendEmail with raw content as ses:SendRawEmail, on the sending identity, the
    configuration set and, in the sandbox, each recipient that is a verified identity.
    """
    return iam.PolicyStatement(
        actions=["ses:SendRawEmail"],
        resources=list(arns),
        conditions={"StringEquals": {"ses:FromAddress": from_address}},
    )


def _on_objects(
    bucket: s3.IBucket, patterns: Sequence[str], action: str, key_action: str
) -> list[iam.PolicyStatement]:
    objects = [bucket.arn_for_objects(pattern) for pattern in patterns]
    return [allow((action,), objects), use_key(bucket.encryption_key, "s3", (key_action,))]
