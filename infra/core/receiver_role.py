"""The role of the receiver's task. It stands in the core stack, beside what it opens."""

from aws_cdk import aws_iam as iam
from constructs import Construct

from infra import grants
from infra.core.stores.configuration import ConfigurationDocument
from infra.core.stores.keys import Keys
from infra.core.stores.queues import Queues
from infra.core.stores.secrets import Secrets
from infra.core.stores.vault import MESSAGE, REJECTED, Vault
from infra.findings import INLINE, accept


class ReceiverRole(iam.Role):
    """May write messages and rejected bytes and send envelopes; may decrypt neither of them."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        keys: Keys,
        vault: Vault,
        queues: Queues,
        secrets: Secrets,
        configuration: ConfigurationDocument,
        tls_secret: str,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"),
            description="The receiver: writes messages to the vault, sends envelopes to the queue",
        )
        bucket = vault.bucket
        statements = [
            *grants.write_objects(bucket, keys.vault, MESSAGE, REJECTED),
            # HeadObject on a message that stands already (412). The key it may not use to read.
            grants.allow(("s3:GetObject",), [bucket.arn_for_objects(MESSAGE)]),
            # HeadBucket, by which /ready asks whether the vault answers.
            grants.allow(("s3:ListBucket",), [bucket.bucket_arn]),
            *grants.send_messages(queues.events, keys.queues, "GetQueueAttributes"),
            *grants.read_secret(secrets.reference_key, keys.records),
            configuration.read(),
            # Under AWS's own key for secrets, which asks for no grant.
            *grants.read_foreign_secret(tls_secret, ""),
        ]
        for statement in statements:
            self.add_to_policy(statement)
        self.calls_from_vpc = grants.calls(statements)
        accept(self, {"HIPAA.Security-IAMNoInlinePolicy": INLINE})
        vault.accept_patterns(self, MESSAGE, REJECTED)
