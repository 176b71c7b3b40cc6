"""The functions, each with its variables and grants."""

from collections.abc import Sequence

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from environments import Environment
from infra import grants
from infra.core.processing.function import StepLambda
from infra.core.processing.mail import SesSending
from infra.core.stores.stores import Stores
from infra.core.stores.vault import ANALYSES, CLINICAL, EVENT, IDENTITIES, MAILS, MESSAGE
from infra.mpi import mpi_variables

COMPREHEND_TURNS = "rate#comprehendmedical"
"""The ledger's item for the quota of `lambdas/extract_entities/comprehend_medical/turns.py`."""

FEED_COUNTS = "feed#known-patients#*"
"""LookupIdentities' counts of each sender's known patients, in the status table (lambdas/common/feed/counts.py)."""


class Steps:
    """The step functions. Their construct ids in `scope` are the steps' names."""

    def __init__(
        self,
        scope: Construct,
        *,
        environment: Environment,
        stores: Stores,
        delivery: SesSending,
        vpc: ec2.IVpc | None,
        security_group: ec2.ISecurityGroup | None,
    ) -> None:
        retention = environment.retention
        keys, vault, tables, secrets = stores.keys, stores.vault, stores.tables, stores.secrets
        configuration, digests = stores.configuration, stores.digests
        self._scope = scope
        self._environment = environment
        self._keys = keys
        self._vpc = vpc
        self._security_group = security_group
        self._variables = {
            "ENS_ENVIRONMENT": environment.name,
            "ENS_VAULT_BUCKET": vault.bucket.bucket_name,
            "ENS_AUDIT_TABLE": tables.audit.table_name,
            "ENS_STATUS_TABLE": tables.status.table_name,
            "ENS_REFERENCE_KEY_SECRET": secrets.reference_key.secret_arn,
            "ENS_AUDIT_KEY_SECRET": secrets.audit_key.secret_arn,
            "ENS_AUDIT_DAYS": str(retention.audit_days),
            "ENS_ENCOUNTERS_DAYS": str(retention.encounters_days),
            "ENS_LEDGER_DAYS": str(retention.ledger_days),
            "ENS_STATUS_DAYS": str(retention.status_days),
        }
        self._sealing = {"ENS_AUDIT_SEAL_KEY": keys.audit_seals[0].key_arn}
        # It seals mails; audit chains of earlier versions were sealed with it.
        audit_key = grants.read_secret(secrets.audit_key)
        references = grants.read_secret(secrets.reference_key)
        bucket = vault.bucket
        audit = grants.use_table(tables.audit, "GetItem", "PutItem")
        trail = grants.use_table(tables.audit, "GetItem", "PutItem", "Query")

        self.parse_message = self._step(
            "ParseMessage",
            timeout=5,
            variables={
                "ENS_DOCUMENT_BYTES": str(environment.document_bytes),
                **configuration.versioned_variables,
            },
            may=[
                configuration.read_version(),
                *references,
                *grants.read_versions(bucket, MESSAGE),
                *grants.write_objects(bucket, EVENT),
                *grants.use_table(
                    tables.audit, "GetItem", "PutItem", "Query", indexes=["by_message_control_id"]
                ),
                *grants.use_table(tables.status, "UpdateItem"),
            ],
        )
        self.track_encounter = self._step(
            "TrackEncounter",
            timeout=3,
            variables={
                "ENS_ENCOUNTERS_TABLE": tables.encounters.table_name,
                **configuration.versioned_variables,
            },
            may=[
                *audit,
                configuration.read_version(),
                *references,
                *grants.read_objects(bucket, EVENT),
                *grants.read_versions(bucket, EVENT),
                *grants.write_objects(bucket, EVENT),
                *grants.use_table(
                    tables.encounters, "BatchGetItem", "PutItem", "UpdateItem", indexes=["by_due"]
                ),
            ],
        )
        self.lookup_identities = self._step(
            "LookupIdentities",
            timeout=7,
            variables={
                "ENS_ENCOUNTERS_TABLE": tables.encounters.table_name,
                "ENS_LEDGER_TABLE": tables.ledger.table_name,
                "ENS_MPI_CACHE_TABLE": tables.mpi_cache.table_name,
                "ENS_MPI_CLIENT": environment.mpi_client,
                **mpi_variables(environment.mpi),
                "ENS_REGISTRY_TABLE": tables.registry.table_name,
                **configuration.versioned_variables,
            },
            may=[
                # Query: the key of an earlier look-up, after a rotation of the reference key.
                *trail,
                configuration.read_version(),
                *references,
                *grants.read_objects(bucket, EVENT, IDENTITIES),
                *grants.read_versions(bucket, EVENT, IDENTITIES),
                *grants.write_objects(bucket, IDENTITIES),
                # Reads the recipients of a cancelled event, and suppresses its deliveries.
                *grants.use_table(tables.ledger, "GetItem", "UpdateItem"),
                # Links the stay to the patient, and compares the patient's stays.
                *grants.use_table(tables.encounters, "UpdateItem", indexes=["by_patient"]),
                *grants.use_item(tables.status, FEED_COUNTS, "UpdateItem"),
                *grants.read_foreign_secret(
                    environment.mpi.secret_arn, environment.mpi.secret_key_arn
                ),
                *grants.use_table(tables.mpi_cache, "BatchGetItem", "BatchWriteItem", "PutItem"),
                *grants.use_table(
                    tables.registry, "BatchGetItem", "Query", indexes=["by_roster_end"]
                ),
            ],
        )
        self.extract_entities = self._step(
            "ExtractEntities",
            timeout=9,
            variables={
                "ENS_COST_MODE": environment.cost_mode,
                "ENS_COMPREHEND_CHARACTERS": str(environment.comprehend_characters),
                "ENS_COMPREHEND_RATE": str(environment.comprehend_rate),
                "ENS_FINDINGS_WAIT_SECONDS": str(environment.findings_wait_seconds),
                "ENS_LEDGER_TABLE": tables.ledger.table_name,
                "ENS_FULL_IN_CLEAR": environment.mail.full_in_clear,
                "ENS_TEXT_LIMIT": str(environment.text_limit),
                "ENS_CACHE_DAYS": str(retention.analyses_days),
            },
            concurrency=environment.extract_concurrency,
            may=[
                *audit,
                *references,
                *grants.read_objects(bucket, EVENT, ANALYSES),
                *grants.read_versions(bucket, EVENT),
                *grants.write_objects(bucket, CLINICAL, ANALYSES),
                *grants.use_item(tables.ledger, COMPREHEND_TURNS, "UpdateItem"),
                *(_analyse_notes() if environment.analyses_notes else ()),
            ],
        )
        mail = environment.mail
        self.deliver_notification = self._step(
            "DeliverNotification",
            timeout=7,
            variables={
                "ENS_ENCOUNTERS_TABLE": tables.encounters.table_name,
                "ENS_LEDGER_TABLE": tables.ledger.table_name,
                **configuration.versioned_variables,
                "ENS_REGISTRY_TABLE": tables.registry.table_name,
                "ENS_PROVIDER_DIRECTORY": environment.mpi.providers,
                "ENS_SES_CONFIGURATION_SET": environment.prefix,
                "ENS_SES_FROM": mail.from_address,
                "ENS_SES_RATE": str(mail.rate),
                "ENS_FULL_IN_CLEAR": mail.full_in_clear,
                **({"ENS_SMIME_SECRET": mail.smime_secret} if mail.smime_secret else {}),
            },
            may=[
                *trail,
                configuration.read_version(),
                *references,
                *audit_key,
                *grants.read_objects(bucket, EVENT, IDENTITIES, CLINICAL, MAILS),
                *grants.read_versions(bucket, EVENT, IDENTITIES, CLINICAL),
                *grants.write_objects(bucket, MAILS),
                *grants.use_table(
                    tables.ledger, "BatchGetItem", "GetItem", "PutItem", "UpdateItem"
                ),
                # Decides again at the moment of sending: the registry and the stay's marks of now.
                *grants.use_table(tables.encounters, "GetItem"),
                *grants.use_table(tables.registry, "BatchGetItem"),
                grants.send_mail(mail.from_address, delivery.arns),
                *grants.read_foreign_secret(mail.smime_secret, mail.smime_secret_key_arn),
            ],
        )
        self.record_feedback = self._step(
            "RecordFeedback",
            timeout=10,
            variables={"ENS_LEDGER_TABLE": tables.ledger.table_name},
            may=[
                *trail,
                *grants.use_table(tables.ledger, "GetItem", "PutItem", "UpdateItem"),
            ],
            # EventBridge hands a report over once, and its rule's queue gets only what Lambda did not take.
            dead_letters=stores.queues.feedback_dead_letters,
        )
        self.release_deliveries = self._step(
            "ReleaseDeliveries",
            timeout=55,
            variables={
                "ENS_DELIVER_FUNCTION": self.deliver_notification.function_name,
                "ENS_LEDGER_TABLE": tables.ledger.table_name,
                "ENS_ON_UNKNOWN": mail.on_unknown,
                "ENS_SES_RATE": str(mail.rate),
            },
            may=[
                *audit,
                *grants.use_table(
                    tables.ledger, "GetItem", "UpdateItem", indexes=["by_due", "by_state"]
                ),
                # GetAccount reads the quota; it supports no resource-level permissions.
                grants.allow(("ses:GetAccount",), ["*"]),
                grants.allow(("lambda:InvokeFunction",), [self.deliver_notification.function_arn]),
            ],
        )
        self.of_workflow = [
            self.parse_message,
            self.track_encounter,
            self.lookup_identities,
            self.extract_entities,
            self.deliver_notification,
        ]
        # Neither appends to the trail: one writes digests, the other verifies.
        self.digest_audit = self._step(
            "DigestAudit",
            timeout=900,
            variables={"ENS_AUDIT_DIGEST_BUCKET": digests.bucket.bucket_name},
            may=[
                *grants.use_table(tables.audit, indexes=["by_day"]),
                *digests.write(),
            ],
            appends=False,
        )
        self.verify_audit = self._step(
            "VerifyAudit",
            timeout=900,
            variables={
                "ENS_AUDIT_DIGEST_BUCKET": digests.bucket.bucket_name,
                "ENS_AUDIT_SEAL_KEYS": ",".join(key.key_arn for key in keys.audit_seals),
            },
            may=[
                *grants.use_table(tables.audit, "Query", "Scan", indexes=["by_day"]),
                *grants.verify_seals(keys.audit_seals),
                *digests.read(),
                *audit_key,
            ],
            appends=False,
        )
        digests.accept_writer(self.digest_audit.own_role)
        digests.accept_patterns(self.digest_audit.own_role, self.verify_audit.own_role)
        self.of_audit = [self.digest_audit, self.verify_audit]
        self.all = [
            *self.of_workflow,
            self.record_feedback,
            self.release_deliveries,
            *self.of_audit,
        ]
        for step, documents in (
            (self.parse_message, (MESSAGE, EVENT)),
            (self.track_encounter, (EVENT,)),
            (self.lookup_identities, (EVENT, IDENTITIES)),
            (self.extract_entities, (EVENT, CLINICAL, ANALYSES)),
            (self.deliver_notification, (EVENT, IDENTITIES, CLINICAL, MAILS)),
        ):
            vault.accept_patterns(step.own_role, *documents)

    def _step(
        self,
        name: str,
        *,
        timeout: int,
        variables: dict[str, str],
        may: Sequence[iam.PolicyStatement],
        concurrency: int | None = None,
        dead_letters: sqs.Queue | None = None,
        appends: bool = True,
    ) -> StepLambda:
        inside = self._environment.runs_inside(name)
        return StepLambda(
            self._scope,
            name,
            environment=self._environment,
            timeout=timeout,
            variables={**self._variables, **(self._sealing if appends else {}), **variables},
            grants=[*(grants.seal_audit(self._keys.audit_seals) if appends else ()), *may],
            logs_key=self._keys.logs,
            vpc=self._vpc if inside else None,
            security_group=self._security_group if inside else None,
            concurrency=concurrency,
            dead_letters=dead_letters,
        )


def _analyse_notes() -> list[iam.PolicyStatement]:
    """Returns the statement to call Comprehend Medical, which supports no resource-level permissions."""
    operations = ("DetectEntitiesV2", "InferICD10CM", "InferRxNorm")
    return [grants.allow([f"comprehendmedical:{one}" for one in operations], ["*"])]
