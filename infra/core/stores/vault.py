"""The vault: the one bucket that holds patient data, and the bucket that logs who read it."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from environments import Environment
from infra.accepted_findings import accept
from infra.buckets import accept_patterns, private_bucket
from infra.stateful import removal_policy

# The documents of an event, as patterns of object keys.
MESSAGE = "events/*/message.hl7"
EVENT = "events/*/event.json"
IDENTITIES = "events/*/identities.json"
CLINICAL = "events/*/clinical.json"
# The bytes that the receiver rejected.
REJECTED = "rejected/*"
# What Comprehend Medical said of a note, under a keyed hash of it.
ANALYSES = "analyses/*.json"
MAILS = "events/*/mail/*.eml"


class Vault(Construct):
    """A versioned bucket under its own key, closed to the public and to anything but TLS.

    Messages, documents and mails are under `events/`, rejected bytes under `rejected/`.

    Expiration only adds a delete marker in a versioned bucket; the bytes stay until the noncurrent
    version expires (S3 user guide, "Expiring objects"). Both periods and the backups' add up to
    `retention.vault_days`.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, key: kms.IKey
    ) -> None:
        super().__init__(scope, construct_id)
        removal = removal_policy(environment)
        deleted = cdk.Duration.days(environment.retention.recovery_days)
        # S3 delivers access logs only to buckets under its own key; they hold keys of objects, and
        # object keys hold no patient data.
        access_logs = private_bucket(
            self,
            "AccessLogs",
            logical_id="BucketAccessLogs",
            key=None,
            removal_policy=removal,
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=cdk.Duration.days(
                        environment.retention.vault_days - environment.retention.recovery_days
                    ),
                    noncurrent_version_expiration=deleted,
                )
            ],
        )
        self.bucket = private_bucket(
            self,
            "Bucket",
            logical_id="BucketVault",
            key=key,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            server_access_logs_bucket=access_logs,
            server_access_logs_prefix="vault/",
            removal_policy=removal,
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=cdk.Duration.days(environment.vault_expiration_days),
                    noncurrent_version_expiration=deleted,
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
                ),
                # Of overlapping rules the one that deletes earlier counts.
                s3.LifecycleRule(
                    prefix="rejected/",
                    expiration=cdk.Duration.days(environment.rejected_expiration_days),
                    noncurrent_version_expiration=deleted,
                ),
                s3.LifecycleRule(
                    prefix="analyses/",
                    # S3 counts whole days and takes no 0: with the day as noncurrent, analyses_days.
                    expiration=cdk.Duration.days(max(1, environment.retention.analyses_days - 1)),
                    noncurrent_version_expiration=cdk.Duration.days(1),
                ),
            ],
        )
        self.bucket.add_to_resource_policy(_no_access_points(self.bucket))
        replication = (
            "Which other region or account may hold a copy of patient data is the operator's to"
            " decide; versions guard against overwriting and deleting."
        )
        accept(
            access_logs,
            {
                "HIPAA.Security-S3BucketReplicationEnabled": replication,
                "HIPAA.Security-S3DefaultEncryptionKMS": "S3 delivers access logs only to buckets"
                " under its own key; they hold no patient data.",
                "CKV_AWS_18": "It is the bucket that holds access logs; logging its own would feed"
                " itself.",
            },
        )
        accept(self.bucket, {"HIPAA.Security-S3BucketReplicationEnabled": replication})

    def accept_patterns(self, role: iam.IRole, *patterns: str) -> None:
        """Accepts the wildcards of these key patterns in a role's policy."""
        accept_patterns(
            self.bucket,
            role,
            "An event's id is part of its keys, so a pattern is how one kind of document is named.",
            *patterns,
        )


def _no_access_points(bucket: s3.Bucket) -> iam.PolicyStatement:
    """Denies every request through an access point; none of ours is.

    The alarm on reads by people knows the bucket's name. A read or copy through an access point would show
    the access point's name instead. A request that comes directly has no `s3:DataAccessPointArn`.
    Amazon S3 User Guide, "Configuring IAM policies for using access points", "Condition keys".
    """
    return iam.PolicyStatement(
        effect=iam.Effect.DENY,
        principals=[iam.AnyPrincipal()],
        actions=["s3:*"],
        resources=[bucket.bucket_arn, bucket.arn_for_objects("*")],
        conditions={"Null": {"s3:DataAccessPointArn": "false"}},
    )
