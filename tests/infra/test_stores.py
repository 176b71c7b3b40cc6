"""The vault, the tables, the queues, the secrets: encrypted, recoverable, closed."""

import re
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.infra.conftest import Stacks
from tests.infra.template import Template, listed, read, text
from tests.support.tables import SHAPES, projection


def construct_path(table: str) -> str:
    """The construct of a table: `Tables/MpiCache` for `mpi-cache`."""
    return f"Tables/{table.title().replace('-', '')}"


def key_of(template: Template, name: str) -> str:
    return f"<{template.id_of(f'Keys/{name}')}.Arn>"


@pytest.mark.parametrize("name", SHAPES)
def test_a_table_has_the_keys_and_indexes_that_the_steps_use(name: str, core: Template) -> None:
    partition, sort, indexes = SHAPES[name]
    table = core.properties(construct_path(name))
    assert shape(table["KeySchema"]) == (partition, sort)
    assert {
        index["IndexName"]: shape(index["KeySchema"])
        for index in table.get("GlobalSecondaryIndexes", [])
    } == indexes
    for index in table.get("GlobalSecondaryIndexes", []):
        assert projected(index["Projection"]) == projected(projection(name, index["IndexName"]))
    assert {a["AttributeType"] for a in table["AttributeDefinitions"]} == {"S"}


def projected(projection: dict[str, Any]) -> tuple[str, list[str]]:
    """The type of a projection and the attributes that it names, which have no order, each as often."""
    return projection["ProjectionType"], sorted(projection.get("NonKeyAttributes", ()))


def shape(schema: list[dict[str, str]]) -> tuple[str, str | None]:
    by_type = {entry["KeyType"]: entry["AttributeName"] for entry in schema}
    return by_type["HASH"], by_type.get("RANGE")


def test_every_table_can_be_restored_and_has_a_key_of_ours(core: Template) -> None:
    for name in SHAPES:
        table = core.properties(construct_path(name))
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        own = {"registry": "Registry", "mpi-cache": "Registry", "encounters": "Encounters"}
        assert text(table["SSESpecification"]["KMSMasterKeyId"]) == key_of(
            core, own.get(name, "Records")
        )


def test_the_page_of_restores_names_each_table_with_its_own_key(prod: Stacks) -> None:
    page = (ROOT / "docs" / "restore.md").read_text("utf-8")
    named = {
        name: f"<{key}.Arn>"
        for names, key in re.findall(r"^\| [^|]+ \| ([^|]+) \| `(Key\w+)` \|$", page, re.MULTILINE)
        for name in re.findall(r"`(Table\w+)`", names)
    }
    keys = {
        name: text(table["Properties"]["SSESpecification"]["KMSMasterKeyId"])
        for name, table in prod["core"].of_type("AWS::DynamoDB::Table").items()
    }
    assert keys.pop("TableLookups")  # The cache of MPI answers needs no restore.
    assert named == keys


def test_no_table_of_prod_can_be_deleted(prod: Stacks) -> None:
    for name in SHAPES:
        resource = prod["core"].resources[prod["core"].id_of(construct_path(name))]
        assert resource["Properties"]["DeletionProtectionEnabled"] is True


def test_the_vault_is_versioned_and_under_its_own_key(core: Template) -> None:
    bucket = core.properties("Vault/Bucket")
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    key = rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"]
    assert text(key) == key_of(core, "Vault")
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}


def test_patient_data_has_three_keys_that_nothing_else_uses(core: Template) -> None:
    """The keys of queues, logs and audit decrypt no patient data."""
    users = {
        name: [
            logical_id
            for logical_id, resource in core.resources.items()
            if key_of(core, name) in str(texts(resource.get("Properties", {})))
            and resource["Type"] not in ("AWS::IAM::Policy", "AWS::KMS::Alias")
        ]
        for name in ("Vault", "Registry", "Encounters")
    }
    assert users == {
        "Vault": [core.id_of("Vault/Bucket")],
        "Registry": [core.id_of("Tables/Registry"), core.id_of("Tables/MpiCache")],
        "Encounters": [core.id_of("Tables/Encounters")],
    }


def texts(value: object) -> object:
    if isinstance(value, dict) and len(value) == 1 and next(iter(value)).startswith(("Ref", "Fn:")):
        return text(value)
    if isinstance(value, dict):
        return {k: texts(v) for k, v in value.items()}
    return [texts(v) for v in value] if isinstance(value, list) else value


def test_no_bucket_is_public(core: Template) -> None:
    for bucket in core.of_type("AWS::S3::Bucket").values():
        assert bucket["Properties"]["PublicAccessBlockConfiguration"] == {
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        }


@pytest.mark.parametrize(
    ("resource", "policy", "attribute"),
    [
        ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "Bucket"),
        ("AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "Queues"),
        ("AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "Topics"),
    ],
)
def test_every_bucket_queue_and_topic_refuses_plain_text(
    resource: str, policy: str, attribute: str, core: Template
) -> None:
    closed = {
        text(target)
        for found in core.of_type(policy).values()
        if any(
            statement.effect == "Deny"
            and statement.conditions.get("Bool") == {"aws:SecureTransport": "false"}
            for statement in read(found["Properties"]["PolicyDocument"])
        )
        for target in listed(found["Properties"][attribute])
    }
    assert closed == {f"<{logical_id}>" for logical_id in core.of_type(resource)}


def test_the_last_copy_of_what_the_vault_keeps_ends_with_its_time(core: Template) -> None:
    """Expiration only hides a version; it ends when it has been noncurrent for its days as well."""
    from environments import load

    retention = load(core.name.split("-")[2]).retention
    rule, rejected, analyses = core.properties("Vault/Bucket")["LifecycleConfiguration"]["Rules"]
    assert rule["Status"] == rejected["Status"] == analyses["Status"] == "Enabled"
    assert "Prefix" not in rule
    backups = [
        plan["Properties"]["BackupPlan"]["BackupPlanRule"][0]["Lifecycle"]["DeleteAfterDays"]
        for plan in core.of_type("AWS::Backup::BackupPlan").values()
    ]
    assert lifetime(rule) + sum(backups) == retention.vault_days
    assert rejected["Prefix"] == "rejected/"
    assert lifetime(rejected) + sum(backups) == (retention.rejected_days or retention.vault_days)
    assert analyses["Prefix"] == "analyses/"
    assert lifetime(analyses) == retention.analyses_days
    (logs,) = core.properties("Vault/AccessLogs")["LifecycleConfiguration"]["Rules"]
    assert lifetime(logs) == retention.vault_days


def lifetime(rule: dict[str, Any]) -> int:
    days: int = rule["ExpirationInDays"] + rule["NoncurrentVersionExpiration"]["NoncurrentDays"]
    return days


def test_what_is_deleted_from_the_vault_by_mistake_can_be_brought_back(core: Template) -> None:
    rule, *_ = core.properties("Vault/Bucket")["LifecycleConfiguration"]["Rules"]
    assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] >= 7


def test_the_event_queue_gives_each_message_time_for_a_whole_execution(core: Template) -> None:
    queue = core.properties("Queues/Events")
    assert queue["FifoQueue"] is True
    assert queue["QueueName"].endswith("-events.fifo")
    assert queue["VisibilityTimeout"] == 720
    assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert queue["DeduplicationScope"] == "messageGroup"
    assert queue["FifoThroughputLimit"] == "perMessageGroupId"
    assert queue.get("ContentBasedDeduplication", False) is False
    assert text(queue["KmsMasterKeyId"]) == key_of(core, "Queues")


def test_what_is_received_too_often_goes_to_the_fifo_dead_letter_queue(core: Template) -> None:
    from environments import load

    redrive = core.properties("Queues/Events")["RedrivePolicy"]
    assert text(redrive["deadLetterTargetArn"]) == f"<{core.id_of('Queues/DeadLetters')}.Arn>"
    environment = load(core.name.split("-")[2])
    assert redrive["maxReceiveCount"] == environment.max_receive_count
    # Pipes wants five at least (EventBridge user guide, "Amazon SQS as a source").
    assert environment.max_receive_count >= 5
    dead = core.properties("Queues/DeadLetters")
    assert dead["FifoQueue"] is True
    assert dead["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_a_key_secret_begins_with_one_random_key(core: Template) -> None:
    for name in ("ReferenceKey", "AuditKey"):
        secret = core.properties(f"Secrets/{name}")
        made = secret["GenerateSecretString"]
        assert made["SecretStringTemplate"] == '{"current":"k1"}'
        assert made["GenerateStringKey"] == "k1"
        assert made["ExcludePunctuation"] is True
        assert made["PasswordLength"] == 64
        assert text(secret["KmsKeyId"]) == key_of(core, "Records")


def test_every_key_rotates(core: Template) -> None:
    keys = [key["Properties"] for key in core.of_type("AWS::KMS::Key").values()]
    # KMS rotates no HMAC keys: `audit.seal_keys` in the environment's file makes a new one.
    seals = [key for key in keys if key.get("KeySpec") == "HMAC_256"]
    assert len(seals) == 1
    assert all(key["EnableKeyRotation"] is True for key in keys if key not in seals)


def test_a_service_uses_a_key_for_this_environment_only(core: Template) -> None:
    """A key policy that lets a whole service in would let any account's resources in by it."""
    for logical_id, key in core.of_type("AWS::KMS::Key").items():
        for statement in key["Properties"]["KeyPolicy"]["Statement"]:
            if "Service" in statement["Principal"]:
                condition = str(statement["Condition"])
                assert (
                    core.name.removesuffix("-core") in condition or "aws:SourceAccount" in condition
                ), logical_id


def test_the_trail_records_accesses_to_every_table_that_holds_patient_data(prod: Stacks) -> None:
    """45 CFR 164.312(b). The tables under the records key hold ids, codes and times alone."""
    core = prod["core"]
    records = f"<{core.id_of('Keys/Records')}.Arn>"
    holding = {
        f"<{table_id}.Arn>"
        for table_id, table in core.of_type("AWS::DynamoDB::Table").items()
        if text(table["Properties"]["SSESpecification"]["KMSMasterKeyId"]) != records
    }
    [selector] = core.properties("DataTrail")["EventSelectors"]
    recorded = {
        text(value)
        for resource in selector["DataResources"]
        if resource["Type"] == "AWS::DynamoDB::Table"
        for value in resource["Values"]
    }
    assert len(holding) >= 3
    assert recorded == holding
