"""The role of the receiver's task. It is in the core stack, like the resources that it may use."""

from aws_cdk import aws_iam as iam
from constructs import Construct

from infra import grants
from infra.accepted_findings import INLINE, accept
from infra.core.stores.stores import Stores
from infra.core.stores.vault import MESSAGE, REJECTED


def _write_once(role: iam.IRole, messages: str) -> iam.PolicyStatement:
    """Denies writing a message without `If-None-Match`, so that none can be replaced.

    Amazon S3 User Guide, "Enforce conditional writes on Amazon S3 buckets".
    """
    return iam.PolicyStatement(
        effect=iam.Effect.DENY,
        principals=[iam.ArnPrincipal(role.role_arn)],
        actions=["s3:PutObject"],
        resources=[messages],
        conditions={"Null": {"s3:if-none-match": "true"}},
    )


class ReceiverRole(iam.Role):
    """A role that may write messages and rejected bytes and send envelopes, and may decrypt neither."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stores: Stores,
        tls_secret: str,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"),
            description="The receiver: writes messages to the vault, sends envelopes to the queue",
        )
        vault, bucket = stores.vault, stores.vault.bucket
        statements = [
            *grants.write_objects(bucket, MESSAGE, REJECTED),
            # HeadObject on a message that exists already (412). It needs no permission to decrypt.
            grants.allow(("s3:GetObject",), [bucket.arn_for_objects(MESSAGE)]),
            # HeadBucket, for `/ready`.
            grants.allow(("s3:ListBucket",), [bucket.bucket_arn]),
            *grants.send_messages(stores.queues.events, "GetQueueAttributes"),
            *grants.read_secret(stores.secrets.reference_key),
            stores.configuration.read(),
            # Encrypted with the AWS managed key, which needs no grant.
            *grants.read_foreign_secret(tls_secret, ""),
        ]
        for statement in statements:
            self.add_to_policy(statement)
        bucket.add_to_resource_policy(_write_once(self, bucket.arn_for_objects(MESSAGE)))
        self.calls_from_vpc = grants.calls(statements)
        accept(self, {"HIPAA.Security-IAMNoInlinePolicy": INLINE})
        vault.accept_patterns(self, MESSAGE, REJECTED)
