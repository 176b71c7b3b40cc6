"""The bucket of the audit trail's daily digests: Object Lock, and one writer."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from environments import Environment
from infra.accepted_findings import accept
from infra.buckets import accept_patterns, private_bucket, unlogged
from infra.grants import allow, read_objects, write_objects
from infra.stateful import removal_policy

DIGESTS = "digests/*.jsonl"


class AuditDigests(Construct):
    """A versioned bucket with S3 Object Lock where the environment says so.

    Digests hold event ids and hashes, no patient data.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, key: kms.IKey
    ) -> None:
        super().__init__(scope, construct_id)
        kept = cdk.Duration.days(environment.audit.digest_days)
        locks = {
            "none": None,
            "governance": s3.ObjectLockRetention.governance(kept),
            "compliance": s3.ObjectLockRetention.compliance(kept),
        }
        lock = locks[environment.audit.digest_lock]
        self.bucket = private_bucket(
            self,
            "Bucket",
            logical_id="BucketAuditDigests",
            key=key,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            object_lock_enabled=True if lock else None,
            object_lock_default_retention=lock,
            removal_policy=removal_policy(environment),
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=kept, noncurrent_version_expiration=cdk.Duration.days(1)
                )
            ],
        )
        accept(
            self.bucket,
            {
                **unlogged(
                    "One function writes it, and the chain of digests shows a changed or missing one."
                ),
                "HIPAA.Security-S3BucketReplicationEnabled": "Where a copy may lie is the operator's"
                " to decide; Object Lock keeps this one.",
            },
        )

    def write(self) -> list[iam.PolicyStatement]:
        """Allows writing digests, and reading the ones before."""
        return [*write_objects(self.bucket, DIGESTS), *self.read()]

    def read(self) -> list[iam.PolicyStatement]:
        """Allows listing and reading digests."""
        return [
            allow(("s3:ListBucket",), [self.bucket.bucket_arn]),
            *read_objects(self.bucket, DIGESTS),
        ]

    def accept_writer(self, writer: iam.IRole) -> None:
        """Denies every other principal to write, and the writer to replace a digest.

        Amazon S3 User Guide, "Enforce conditional writes on Amazon S3 buckets".
        """
        for conditions in (
            {"ArnNotEquals": {"aws:PrincipalArn": writer.role_arn}},
            {"Null": {"s3:if-none-match": "true"}},
        ):
            self.bucket.add_to_resource_policy(
                iam.PolicyStatement(
                    effect=iam.Effect.DENY,
                    principals=[iam.AnyPrincipal()],
                    actions=["s3:PutObject"],
                    resources=[self.bucket.arn_for_objects("*")],
                    conditions=conditions,
                )
            )

    def accept_patterns(self, *roles: iam.IRole) -> None:
        """Accepts the wildcard of the digests' keys in these roles' policies."""
        for role in roles:
            accept_patterns(self.bucket, role, "A digest is named by its day.", DIGESTS)
