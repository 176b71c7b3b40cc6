"""The IAM statements of each role for people: the AWS calls of its `ens` commands and of the console.

A statement names its actions and resources as those of the functions do (infra/grants.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam

from environments import Environment
from infra.core.stores.keys import USE_ACTIONS
from infra.core.stores.stores import Stores
from infra.grants import (
    allow,
    on_items,
    read_objects,
    read_secret,
    read_versions,
    seal_audit,
    send_messages,
    use_key,
    use_table,
    verify_seals,
)

# The vault's documents (docs/security.md).
VAULT_PATTERNS = ("events/*", "rejected/*", "analyses/*")

# The partition keys of what the registrar and the operator write beside their own data: the audit
# chain of master data (ops/audit/entry.py), the chains of looks (ops/audit/looks.py), and the switch of
# deliveries (lambdas/delivery/ledger/sending/pause.py).
MASTER_DATA_CHAIN = "registry"
LOOKS_CHAINS = "access#*"
DELIVERY_SWITCH = "switch#delivery"

# The partition keys of a smoke run's entries in the registry (ops/smoke/patient.py, docs/adr/0162).
SMOKE_ENTRIES = ("identifier#ENS-SMOKE#*", "patient#ens-smoke-*", "provider#ens-smoke-*")

ENCOUNTER_INDEXES = ("by_due",)
AUDIT_INDEXES = ("by_day", "by_message_control_id")
# The audit of one patient, and of one provider (ops/disclosures).
PEOPLE_INDEXES = ("by_patient", "by_recipient")

# The registry's entries that lead from an identifier to an id, or name a provider: none of them holds
# demographics.
LOOKED_UP = ("identifier#*", "provider#*", "provider-identifier#*")
STATUS_INDEXES = ("by_day",)
LEDGER_INDEXES = ("by_state",)
REGISTRY_INDEXES = ("by_provider",)

# Lists and metrics of the whole account, without patient data, which the console's pages request.
LOOK_ON = (
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetMetricData",
    "cloudwatch:GetMetricStatistics",
    "cloudwatch:ListDashboards",
    "cloudwatch:ListMetrics",
    "ecs:ListClusters",
    "ecs:ListServices",
    "ecs:ListTasks",
    "logs:DescribeLogGroups",
    "logs:DescribeQueryDefinitions",
    "logs:StopQuery",
    "pipes:ListPipes",
    "sqs:ListQueues",
    "states:ListStateMachines",
)
READ_LOGS = (
    "logs:DescribeLogStreams",
    "logs:FilterLogEvents",
    "logs:GetQueryResults",
    "logs:StartQuery",
)


@dataclass(frozen=True, slots=True)
class Opened:
    """The resources of the core stack that the roles may use."""

    stores: Stores
    state_machine_arn: str
    pipe_arn: str


def operator(environment: Environment, opened: Opened) -> list[iam.PolicyStatement]:
    """Returns the operator's statements: reads ids, steps, counts and logs; redrives, replays, resends, pauses.

    Neither the vault's key is among the grants, nor the reference key, by which a guessed identifier
    could be compared with a reference. Stays hold references, codes and times (docs/adr/0228). Of the
    registry, the entries of `ens smoke` alone are open.
    The one-off task of `ens smoke --in-vpc` is granted beside it (infra/ingress/smoke_task.py).
    """
    keys, queues, tables = opened.stores.keys, opened.stores.queues, opened.stores.tables
    dead_letters, feedback = queues.dead_letters.queue_arn, queues.feedback_dead_letters.queue_arn
    return [
        *_find(environment, opened),
        *use_table(tables.audit, "GetItem", "PutItem", "Query", indexes=AUDIT_INDEXES),
        *use_table(tables.status, "GetItem", indexes=STATUS_INDEXES),
        *use_table(tables.ledger, "GetItem", "UpdateItem", indexes=LEDGER_INDEXES),
        *use_table(tables.encounters, "BatchGetItem", indexes=ENCOUNTER_INDEXES),
        on_items(tables.ledger, (DELIVERY_SWITCH,), "PutItem"),
        # The registry's key opens nothing by itself: it is used through DynamoDB, on these items.
        on_items(tables.registry, SMOKE_ENTRIES, "DeleteItem", "UpdateItem"),
        use_key(keys.registry, "dynamodb", USE_ACTIONS),
        *seal_audit(keys.audit_seals),
        *send_messages(queues.events, "GetQueueAttributes"),
        allow(
            (
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ReceiveMessage",
            ),
            [dead_letters],
        ),
        # Only its message count: SES events in it hold the recipient's address.
        allow(("sqs:GetQueueAttributes",), [feedback]),
        allow(("pipes:DescribePipe", "pipes:StartPipe", "pipes:StopPipe"), [opened.pipe_arn]),
        allow(("states:DescribeStateMachine",), [opened.state_machine_arn]),
        allow(LOOK_ON, ["*"]),
        allow(READ_LOGS, [_arn(opened, "logs", f"log-group:/*/{environment.prefix}-*")]),
        # GetLogEvents is granted on streams, the others on groups.
        allow(
            ("logs:GetLogEvents",),
            [_arn(opened, "logs", f"log-group:/*/{environment.prefix}-*:log-stream:*")],
        ),
        allow(
            ("cloudwatch:DescribeAlarmHistory",),
            [_arn(opened, "cloudwatch", f"alarm:{environment.prefix}-*")],
        ),
        allow(
            ("cloudwatch:GetDashboard",),
            [_arn(opened, "cloudwatch", f"dashboard/{environment.prefix}", regional=False)],
        ),
        # Two of the dashboard's graphs.
        allow(
            ("cloudwatch:GetInsightRuleReport",),
            [_arn(opened, "cloudwatch", f"insight-rule/{environment.prefix}-*")],
        ),
        # The receivers' events and stopped tasks, for the alarm `receivers-missing`.
        allow(("ecs:DescribeClusters",), [_arn(opened, "ecs", f"cluster/{environment.prefix}")]),
        allow(("ecs:DescribeServices",), [_arn(opened, "ecs", f"service/{environment.prefix}/*")]),
        allow(("ecs:DescribeTasks",), [_arn(opened, "ecs", f"task/{environment.prefix}/*")]),
    ]


def auditor(environment: Environment, opened: Opened) -> list[iam.PolicyStatement]:
    """Returns the auditor's statements: reads and verifies the audit trail, whose only patient data is MSH-10.

    Seals are verified in KMS. The auditor may append to the record of looks, and so make seals too; IAM
    keeps every other chain closed. The audit key opens chains of earlier versions, which the digests prove.
    The reference key and the registry's entries of identifiers and providers answer who was told about a
    patient; no patient's name, birth date or sex is among them
    (docs/adr/0286-auditors-look-up-identifiers.md).
    """
    keys, tables = opened.stores.keys, opened.stores.tables
    return [
        *_find(environment, opened),
        *_read_table(tables.audit, "Query", *AUDIT_INDEXES, *PEOPLE_INDEXES),
        # `ens audit verify --whole-table`: no index has an item without the index's key.
        allow(("dynamodb:Scan",), [tables.audit.table_arn]),
        on_items(tables.registry, LOOKED_UP, "GetItem"),
        use_key(keys.registry, "dynamodb", ("kms:Decrypt", "kms:DescribeKey")),
        *_read_table(tables.status, "GetItem", *STATUS_INDEXES),
        *_read_table(tables.encounters, "BatchGetItem", *ENCOUNTER_INDEXES),
        # `ens retention check` compares rules with settings, and counts in the indexes.
        allow(
            ("dynamodb:Query",),
            [f"{tables.ledger.table_arn}/index/{index}" for index in LEDGER_INDEXES],
        ),
        allow(
            ("dynamodb:DescribeTimeToLive",),
            [
                one.table_arn
                for one in (tables.audit, tables.encounters, tables.ledger, tables.status)
            ],
        ),
        allow(("s3:GetLifecycleConfiguration",), [opened.stores.vault.bucket.bucket_arn]),
        allow(("logs:DescribeLogGroups",), ["*"]),
        use_key(keys.encounters, "dynamodb", ("kms:Decrypt", "kms:DescribeKey")),
        *verify_seals(keys.audit_seals),
        *opened.stores.digests.read(),
        *read_secret(opened.stores.secrets.audit_key),
        *read_secret(opened.stores.secrets.reference_key),
        *_record_looks(opened),
    ]


def registrar(environment: Environment, opened: Opened) -> list[iam.PolicyStatement]:
    """Returns the registrar's statements: reads and writes the registry, appends to its audit chain."""
    tables, secrets = opened.stores.tables, opened.stores.secrets
    return [
        *_find(environment, opened),
        *use_table(
            tables.registry,
            "BatchGetItem",
            "GetItem",
            "Scan",
            "UpdateItem",
            indexes=REGISTRY_INDEXES,
        ),
        on_items(tables.audit, (MASTER_DATA_CHAIN,), "GetItem", "PutItem"),
        *_record_looks(opened),
        # The reference of a roster's subscriber, for the audit.
        *read_secret(secrets.reference_key),
    ]


def break_glass(environment: Environment, opened: Opened) -> list[iam.PolicyStatement]:
    """Returns the statements of break-glass access: reads all versions of the vault's objects.

    It appends to the record of looks, and finds the mail of a delivery in the ledger.
    """
    bucket = opened.stores.vault.bucket
    return [
        *_find(environment, opened),
        *_record_looks(opened),
        allow(("dynamodb:GetItem",), [opened.stores.tables.ledger.table_arn]),
        allow(("s3:ListBucket", "s3:ListBucketVersions"), [bucket.bucket_arn]),
        *read_objects(bucket, *VAULT_PATTERNS),
        *read_versions(bucket, *VAULT_PATTERNS),
    ]


def accepted(statements: Sequence[iam.PolicyStatement], account: str) -> dict[str, str]:
    """Returns cdk-nag's findings about wildcards in these statements' resources, each with a reason."""
    own = (
        "The wildcard stands behind the environment's own prefix: no other environment's resources."
    )
    everything = "Lists and metrics know no resources to grant on, and show no patient data."
    return {
        f"AwsSolutions-IAM5[Resource::{resource.replace(account, '<AWS::AccountId>')}]": (
            everything if resource == "*" else own
        )
        for statement in statements
        for resource in statement.resources
        if resource.endswith("*") and not resource.startswith("${Token")
    }


def _find(environment: Environment, opened: Opened) -> list[iam.PolicyStatement]:
    """Returns the statement that lets every `ens` command read the outputs of the stacks."""
    stacks = _arn(opened, "cloudformation", f"stack/{environment.prefix}-*/*")
    return [allow(("cloudformation:DescribeStacks",), [stacks])]


def _read_table(table: dynamodb.ITable, action: str, *indexes: str) -> list[iam.PolicyStatement]:
    """Returns an item action on a table, and Query on these of its indexes; the key is granted beside."""
    arns = [f"{table.table_arn}/index/{index}" for index in indexes]
    return [
        allow((f"dynamodb:{action}",), [table.table_arn]),
        allow(("dynamodb:Query",), arns),
    ]


def _record_looks(opened: Opened) -> list[iam.PolicyStatement]:
    """Returns the statements to append to the record of looks, and to seal its entries."""
    keys = opened.stores.keys
    return [
        on_items(opened.stores.tables.audit, (LOOKS_CHAINS,), "GetItem", "PutItem"),
        use_key(
            keys.records,
            "dynamodb",
            ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"),
        ),
        *seal_audit(keys.audit_seals),
    ]


def _arn(opened: Opened, service: str, resource: str, *, regional: bool = True) -> str:
    stack = cdk.Stack.of(opened.stores.keys)
    region = stack.region if regional else ""
    return f"arn:{stack.partition}:{service}:{region}:{stack.account}:{resource}"
