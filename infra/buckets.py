"""Buckets that are closed to the public and to anything but TLS, versioned, with a fixed logical id."""

from typing import Any, cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.accepted_findings import accept
from infra.stateful import fix_logical_id


def private_bucket(
    scope: Construct, construct_id: str, *, logical_id: str, key: kms.IKey | None, **more: Any
) -> s3.Bucket:
    """Returns a bucket under this key, or under S3's own; `more` are further parameters of `s3.Bucket`."""
    bucket = s3.Bucket(
        scope,
        construct_id,
        encryption=s3.BucketEncryption.KMS if key else s3.BucketEncryption.S3_MANAGED,
        encryption_key=key,
        bucket_key_enabled=True if key else None,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        enforce_ssl=True,
        minimum_tls_version=1.2,
        versioned=True,
        **more,
    )
    fix_logical_id(bucket, logical_id)
    return bucket


def unlogged(reason: str) -> dict[str, str]:
    """Returns the findings about a bucket without access logs, to be accepted for this reason."""
    rules = ("AwsSolutions-S1", "HIPAA.Security-S3BucketLoggingEnabled", "CKV_AWS_18")
    return dict.fromkeys(rules, reason)


def accept_patterns(bucket: s3.Bucket, role: iam.IRole, reason: str, *patterns: str) -> None:
    """Accepts the wildcards of these key patterns in a role's policy, for this reason."""
    element = cast(cdk.CfnElement, bucket.node.default_child)
    # As the template has it: the stack's get_logical_id does not know a fixed one.
    name = cdk.Stack.of(bucket).resolve(element.logical_id)
    accept(
        role,
        {f"AwsSolutions-IAM5[Resource::<{name}.Arn>/{pattern}]": reason for pattern in patterns},
    )
