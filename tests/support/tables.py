"""The tables as the core stack makes them; tests/infra holds the template to the same shapes."""

from dataclasses import fields
from typing import Any

from lambdas.encounters.items import EncounterSummary

ENCOUNTERS = "encounters"
AUDIT, STATUS, LEDGER, REGISTRY, MPI_CACHE = "audit", "status", "ledger", "registry", "mpi-cache"

# name -> (partition key, sort key, {index: (partition key, sort key)})
SHAPES: dict[str, tuple[str, str | None, dict[str, tuple[str, str]]]] = {
    AUDIT: (
        "event_id",
        "sk",
        {
            "by_message_control_id": ("message_control_id", "time"),
            "by_patient": ("patient_ref", "time"),
            "by_day": ("day", "outcome_time"),
            "by_recipient": ("recipient_ref", "time"),
        },
    ),
    STATUS: ("event_id", None, {"by_day": ("day", "received_at")}),
    LEDGER: (
        "delivery_id",
        None,
        {
            "by_event": ("event_id", "updated_at"),
            "by_state": ("state", "updated_at"),
            "by_due": ("due_shard", "due_at"),
        },
    ),
    REGISTRY: (
        "pk",
        "sk",
        {
            "by_provider": ("provider_id", "pk"),
            "by_roster_end": ("roster_until", "provider_id"),
        },
    ),
    MPI_CACHE: ("identifier_ref", None, {}),
    ENCOUNTERS: (
        "pk",
        None,
        {"by_patient": ("patient_ref", "began_at"), "by_due": ("due_shard", "due_at")},
    ),
}


PROJECTED = {
    (LEDGER, "by_due"): (
        *("state", "recipient_ref", "channel", "hold_reason", "digest_id", "claimed_at"),
    ),
    (ENCOUNTERS, "by_patient"): tuple(
        member.name
        for member in fields(EncounterSummary)
        if member.name not in ("pk", "patient_ref", "began_at", "patient_keys")
    ),
    (ENCOUNTERS, "by_due"): ("encounter_id", "sender"),
}
"""The attributes of the indexes that do not hold all."""


def create_tables(dynamodb: Any) -> None:
    """Creates every table of `SHAPES` with a boto3 DynamoDB client; all keys are strings."""
    for name, (partition, sort, indexes) in SHAPES.items():
        keys = {
            partition,
            *([sort] if sort else []),
            *(k for pair in indexes.values() for k in pair),
        }
        dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": key, "AttributeType": "S"} for key in sorted(keys)
            ],
            KeySchema=_schema(partition, sort),
            **(
                {
                    "GlobalSecondaryIndexes": [
                        {
                            "IndexName": index,
                            "KeySchema": _schema(*pair),
                            "Projection": projection(name, index),
                        }
                        for index, pair in indexes.items()
                    ]
                }
                if indexes
                else {}
            ),
        )


def projection(table: str, index: str) -> dict[str, Any]:
    """The attributes that an index holds beside the keys, as DynamoDB and CloudFormation write it."""
    if (table, index) not in PROJECTED:
        return {"ProjectionType": "ALL"}
    return {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(PROJECTED[table, index])}


def _schema(partition: str, sort: str | None) -> list[dict[str, str]]:
    schema = [{"AttributeName": partition, "KeyType": "HASH"}]
    return [*schema, {"AttributeName": sort, "KeyType": "RANGE"}] if sort else schema
