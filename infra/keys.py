"""The customer managed keys: one for each kind of data, so that a grant on one opens nothing else."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.settings import Environment

# What a principal needs to use a CMK through a service. Written out: CDK's own grants add wildcards.
USE_ACTIONS = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)


class Keys(Construct):
    """The keys of an environment. Only `vault` and `registry` guard patient data.

    `records` guards audit, status, ledger and the two secrets, `queues` the queues, `logs` every log
    group, `alarms` the alarm topic (CloudWatch cannot publish to a topic under AWS's own key).
    """

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment) -> None:
        super().__init__(scope, construct_id)
        self._prefix = environment.prefix
        self._removal = (
            cdk.RemovalPolicy.RETAIN if environment.retain else cdk.RemovalPolicy.DESTROY
        )
        stack = cdk.Stack.of(self)
        self.vault = self._key("Vault", "the vault: messages and what is made of them")
        self.registry = self._key("Registry", "the registry: patients, providers, relationships")
        self.records = self._key("Records", "audit, status and delivery tables, key secrets")
        self.queues = self._key("Queues", "the event queue and the dead-letter queues")
        self.logs = self._key("Logs", "every log group")
        self.alarms = self._key("Alarms", "the alarm topic")

        # Each service may use its key for this environment's own resources only.
        self._let(
            self.queues,
            "events.amazonaws.com",
            ["kms:Decrypt", "kms:GenerateDataKey"],
            {"ArnLike": {"aws:SourceArn": _arn(stack, "events", f"rule/{self._prefix}-*")}},
        )
        self._let(
            self.logs,
            f"logs.{stack.region}.amazonaws.com",
            [
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKey*",
                "kms:ReEncrypt*",
            ],
            {
                "ArnLike": {
                    "kms:EncryptionContext:aws:logs:arn": _arn(
                        stack, "logs", f"log-group:/*/{self._prefix}-*"
                    )
                }
            },
        )
        self._let(
            self.alarms,
            "cloudwatch.amazonaws.com",
            ["kms:Decrypt", "kms:GenerateDataKey*"],
            {"ArnLike": {"aws:SourceArn": _arn(stack, "cloudwatch", f"alarm:{self._prefix}-*")}},
        )

    def _key(self, name: str, description: str) -> kms.Key:
        return kms.Key(
            self,
            name,
            alias=f"{self._prefix}/{name.lower()}",
            description=f"{self._prefix}: {description}",
            enable_key_rotation=True,
            pending_window=cdk.Duration.days(30),
            removal_policy=self._removal,
        )

    @staticmethod
    def _let(
        key: kms.Key, service: str, actions: list[str], conditions: dict[str, dict[str, str]]
    ) -> None:
        key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(service)],
                actions=actions,
                resources=["*"],
                conditions=conditions,
            )
        )


def _arn(stack: cdk.Stack, service: str, resource: str) -> str:
    return f"arn:{stack.partition}:{service}:{stack.region}:{stack.account}:{resource}"
