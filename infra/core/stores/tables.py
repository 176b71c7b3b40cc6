"""The tables. Audit, status and ledger share a key; registry and MPI cache, which name patients, another.

The encounters have their own.
"""

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from environments import Environment
from infra.accepted_findings import accept
from infra.core.stores.keys import Keys
from infra.stateful import fix_logical_id, removal_policy

ENCOUNTER_SUMMARY = (
    "encounter_id",
    "sender",
    "phase",
    "ended_at",
    "classes",
    "facility",
    "disposition",
    "discharged_to",
    "protected",
)
"""The attributes of the index `by_patient` (lambdas/encounters/items.py)."""

EXPIRES = "expires_at"
"""The attribute by which DynamoDB deletes an item (time to live), in seconds since the epoch."""


class Tables(Construct):
    """All tables, on demand, with point-in-time recovery."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        keys: Keys,
    ) -> None:
        super().__init__(scope, construct_id)
        self._protected = environment.deletion_protection
        self._removal = removal_policy(environment)
        self.audit = self._table("Audit", keys.records, "event_id", "sk", expires=EXPIRES)
        _index(self.audit, "by_message_control_id", "message_control_id", "time")
        _index(self.audit, "by_patient", "patient_ref", "time")
        _index(self.audit, "by_day", "day", "outcome_time")
        # Deliveries alone have a recipient. CloudFormation creates one index of a table in an update.
        _index(self.audit, "by_recipient", "recipient_ref", "time")
        self.status = self._table("Status", keys.records, "event_id", expires=EXPIRES)
        _index(self.status, "by_day", "day", "received_at")
        self.ledger = self._table("Ledger", keys.records, "delivery_id", expires=EXPIRES)
        _index(self.ledger, "by_event", "event_id", "updated_at")
        _index(self.ledger, "by_state", "state", "updated_at")
        # Due deliveries for ReleaseDeliveries, with the attributes that it groups them by.
        _index(
            self.ledger,
            "by_due",
            "due_shard",
            "due_at",
            only=("state", "recipient_ref", "channel", "hold_reason", "digest_id", "claimed_at"),
        )
        self.registry = self._table("Registry", keys.registry, "pk", "sk")
        # `ens roster` lists the patients of a subscriber's roster.
        _index(self.registry, "by_provider", "provider_id", "pk")
        # The memberships that end on a day. Only roster items have both attributes.
        _index(self.registry, "by_roster_end", "roster_until", "provider_id")
        self.encounters = self._table("Encounters", keys.encounters, "pk", expires=EXPIRES)
        # The encounters of a patient at all senders, with the attributes that flags are computed from.
        _index(self.encounters, "by_patient", "patient_ref", "began_at", only=ENCOUNTER_SUMMARY)
        # Open encounters and cancellations without an encounter, for the clock and the operator.
        _index(self.encounters, "by_due", "due_shard", "due_at", only=("encounter_id", "sender"))
        # Items expire after minutes (DynamoDB time to live). The logical id is that of the first release:
        # another one would replace the table.
        self.mpi_cache = self._table(
            "MpiCache",
            keys.registry,
            "identifier_ref",
            expires=EXPIRES,
            logical_id="TableLookups",
        )
        rule = "HIPAA.Security-DynamoDBInBackupPlan"
        if environment.backup:
            accept(
                self.mpi_cache,
                {rule: "Cache items expire after minutes; LookupIdentities writes new ones."},
            )
        else:
            accept(
                self,
                {
                    rule: "Point-in-time recovery covers 35 days of an environment that holds no"
                    " real patients."
                },
            )

    def _table(
        self,
        name: str,
        key: kms.IKey,
        partition: str,
        sort: str | None = None,
        *,
        expires: str | None = None,
        logical_id: str = "",
    ) -> dynamodb.Table:
        table = dynamodb.Table(
            self,
            name,
            partition_key=_string(partition),
            sort_key=_string(sort) if sort else None,
            time_to_live_attribute=expires,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=self._protected,
            removal_policy=self._removal,
        )
        fix_logical_id(table, logical_id or f"Table{name}")
        return table


def _index(
    table: dynamodb.Table, name: str, partition: str, sort: str, *, only: tuple[str, ...] = ()
) -> None:
    """Adds a global secondary index that holds the attributes `only`, or all."""
    table.add_global_secondary_index(
        index_name=name,
        partition_key=_string(partition),
        sort_key=_string(sort),
        projection_type=dynamodb.ProjectionType.INCLUDE if only else dynamodb.ProjectionType.ALL,
        non_key_attributes=list(only) or None,
    )


def _string(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
