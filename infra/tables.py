"""The tables: audit, status and ledger under one key; registry and look-ups, which name patients, under another."""

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from environments import Environment
from infra.findings import accept


class Tables(Construct):
    """All tables, on demand, with point-in-time recovery."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        records_key: kms.IKey,
        registry_key: kms.IKey,
    ) -> None:
        super().__init__(scope, construct_id)
        self._protected = environment.deletion_protection
        self._removal = (
            cdk.RemovalPolicy.RETAIN if environment.retain else cdk.RemovalPolicy.DESTROY
        )
        self.audit = self._table("Audit", records_key, "event_id", "sk")
        _index(self.audit, "by_message_control_id", "message_control_id", "time")
        _index(self.audit, "by_patient", "patient_ref", "time")
        _index(self.audit, "by_day", "day", "outcome_time")
        self.status = self._table("Status", records_key, "event_id")
        _index(self.status, "by_day", "day", "received_at")
        self.ledger = self._table("Ledger", records_key, "delivery_id")
        _index(self.ledger, "by_event", "event_id", "updated_at")
        _index(self.ledger, "by_state", "state", "updated_at")
        self.registry = self._table("Registry", registry_key, "pk", "sk")
        # For `ens roster`: whom a subscriber's roster holds.
        _index(self.registry, "by_provider", "provider_id", "pk")
        # Only items of a roster have both: whose ends on a day.
        _index(self.registry, "by_roster_end", "roster_until", "provider_id")
        # What an index outside answered holds for minutes: DynamoDB takes it away, by itself.
        self.lookups = self._table("Lookups", registry_key, "identifier_ref", expires="expires_at")
        accept(
            self,
            {
                "HIPAA.Security-DynamoDBInBackupPlan": "Point-in-time recovery covers 35 days;"
                " copies kept longer are the operator's backup policy, not a stack's."
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
    ) -> dynamodb.Table:
        return dynamodb.Table(
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


def _index(table: dynamodb.Table, name: str, partition: str, sort: str) -> None:
    table.add_global_secondary_index(
        index_name=name, partition_key=_string(partition), sort_key=_string(sort)
    )


def _string(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
