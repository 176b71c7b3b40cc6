"""The two key secrets: the one that makes references, the one that seals the audit chain."""

from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from environments import Environment
from infra.accepted_findings import accept
from infra.stateful import fix_logical_id, removal_policy

# A ring of keys with one in it; its random text is made by Secrets Manager.
RING = '{"current":"k1"}'


class Secrets(Construct):
    """JSON secrets `{"current": "k1", "k1": "<random>"}`; rotation adds a key and moves `current`."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, key: kms.IKey
    ) -> None:
        super().__init__(scope, construct_id)
        self._key = key
        self._removal = removal_policy(environment)
        self.reference_key = self._secret("ReferenceKey", "makes references to patients and others")
        self.audit_key = self._secret("AuditKey", "seals the audit chain")
        by_hand = (
            "A rotation adds a key and keeps the old ones, or references and the audit chain could no"
            " longer be checked: an operator does it by the runbook, not a timer."
        )
        accept(
            self,
            {
                "AwsSolutions-SMG4": by_hand,
                "HIPAA.Security-SecretsManagerRotationEnabled": by_hand,
            },
        )

    def _secret(self, name: str, purpose: str) -> secretsmanager.Secret:
        secret = secretsmanager.Secret(
            self,
            name,
            description=f"hl7-ens: the key that {purpose}",
            encryption_key=self._key,
            removal_policy=self._removal,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template=RING,
                generate_string_key="k1",
                exclude_punctuation=True,
                password_length=64,
            ),
        )
        fix_logical_id(secret, f"Secret{name}")
        return secret
