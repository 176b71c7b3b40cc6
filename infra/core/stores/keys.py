"""The customer managed keys: one for each kind of data, so that a grant on one opens nothing else."""

import re

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from environments import Environment
from infra.accepted_findings import accept
from infra.stateful import fix_logical_id, removal_policy

# Actions that a principal needs to use a CMK through a service. Written out: CDK's own grants add wildcards.
USE_ACTIONS = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)


class Keys(Construct):
    """The keys of an environment.

    `vault`, `registry`, `encounters` and `backups` guard patient data, the others none.
    `records` guards audit, status, ledger and the two secrets, `queues` the queues, `logs` every log
    group, `alarms` the alarm topic (CloudWatch cannot publish to a topic under AWS's own key).
    `audit_seals` are HMAC keys that seal audit chains, the newest first.
    """

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment) -> None:
        super().__init__(scope, construct_id)
        self._environment = environment
        stack = cdk.Stack.of(self)
        self.vault = self._key("Vault", "the vault: messages and what is made of them")
        self.registry = self._key("Registry", "the registry: patients, providers, relationships")
        self.encounters = self._key("Encounters", "the encounters: stays, classes, places, times")
        self.audit_seals = [
            _seal_key(self, number, environment)
            for number in range(environment.audit.seal_keys, 0, -1)
        ]
        self.records = self._key("Records", "audit, status and delivery tables, key secrets")
        self.queues = self._key("Queues", "the event queue and the dead-letter queues")
        self.logs = logs_key(self, "Logs", environment=environment, purpose="every log group")
        self.alarms = self._key("Alarms", "the alarm topic")
        if environment.backup:
            self.backups = self._key("Backups", "the backups of tables and vault")

        # A service may use a key for this account's or this environment's resources only. EventBridge
        # names the account (CDK issue 11158, aws-events-targets SqsQueue). CloudWatch is not known to
        # name the alarm to KMS; SNS itself names the topic (SNS developer guide, "Encryption context").
        _let(
            self.queues,
            "events.amazonaws.com",
            {"StringEquals": {"aws:SourceAccount": stack.account}},
        )
        topic = _arn(stack, "sns", alarm_topic_name(environment))
        _let(
            self.alarms,
            "cloudwatch.amazonaws.com",
            {"StringEquals": {"kms:EncryptionContext:aws:sns:topicArn": topic}},
        )

    def _key(self, name: str, purpose: str) -> kms.Key:
        return _make(self, name, self._environment, name.lower(), purpose)


def alarm_topic_name(environment: Environment) -> str:
    """The name of the environment's alarm topic."""
    return f"{environment.prefix}-alarms"


def logs_key(
    scope: Construct, construct_id: str, *, environment: Environment, purpose: str
) -> kms.Key:
    """A key that CloudWatch Logs may use for log groups of this environment, and for no others."""
    alias = "-".join(re.findall("[A-Z][a-z]+", construct_id)).lower()
    key = _make(scope, construct_id, environment, alias, purpose)
    stack = cdk.Stack.of(scope)
    groups = _arn(stack, "logs", f"log-group:/*/{environment.prefix}-*")
    _let(
        key,
        f"logs.{stack.region}.amazonaws.com",
        {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
    )
    return key


def trail_key(
    scope: Construct, construct_id: str, *, environment: Environment, trail_arn: str
) -> kms.Key:
    """A key that CloudTrail may use for this trail, and for no other.

    CloudTrail user guide, "Configure AWS KMS key policies for CloudTrail".
    """
    key = _make(scope, construct_id, environment, "trail", "the trail of accesses to patient data")
    fix_logical_id(key, "KeyTrail")
    key.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal("cloudtrail.amazonaws.com")],
            actions=["kms:DescribeKey", "kms:GenerateDataKey*"],
            resources=["*"],
            conditions={"StringEquals": {"aws:SourceArn": trail_arn}},
        )
    )
    return key


def _make(
    scope: Construct, construct_id: str, environment: Environment, alias: str, purpose: str
) -> kms.Key:
    key = kms.Key(
        scope,
        construct_id,
        alias=f"{environment.prefix}/{alias}",
        description=f"{environment.prefix}: {purpose}",
        enable_key_rotation=True,
        pending_window=cdk.Duration.days(30),
        removal_policy=removal_policy(environment),
    )
    fix_logical_id(key, f"Key{construct_id.removesuffix('Key')}")
    return key


def _seal_key(scope: Construct, number: int, environment: Environment) -> kms.Key:
    """The HMAC key of this number. KMS rotates no HMAC keys (KMS developer guide, "HMAC keys in AWS KMS")."""
    name = "AuditSeal" if number == 1 else f"AuditSeal{number}"
    key = kms.Key(
        scope,
        name,
        alias=f"{environment.prefix}/audit-seal{'' if number == 1 else f'-{number}'}",
        description=f"{environment.prefix}: seals the audit trail",
        key_spec=kms.KeySpec.HMAC_256,
        key_usage=kms.KeyUsage.GENERATE_VERIFY_MAC,
        pending_window=cdk.Duration.days(30),
        removal_policy=removal_policy(environment),
    )
    fix_logical_id(key, f"Key{name}")
    accept(
        key,
        {
            "CKV_AWS_7": "KMS rotates no HMAC keys; a deployment with a higher audit.seal_keys makes a"
            " new one."
        },
    )
    return key


def _let(key: kms.Key, service: str, conditions: dict[str, dict[str, str]]) -> None:
    """Lets an AWS service encrypt and decrypt with a key under these conditions."""
    key.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal(service)],
            actions=[
                *("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt"),
                *("kms:GenerateDataKey*", "kms:ReEncrypt*"),
            ],
            resources=["*"],
            conditions=conditions,
        )
    )


def _arn(stack: cdk.Stack, service: str, resource: str) -> str:
    return f"arn:{stack.partition}:{service}:{stack.region}:{stack.account}:{resource}"
