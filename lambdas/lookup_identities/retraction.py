"""Who is to be told that an event is withdrawn: exactly those who were told of it.

The delivery ledger knows them by encounter, the first event's own `identities.json` how to reach
them: a relationship that has ended since, or one that began, changes nothing.
"""

from collections.abc import Iterable
from dataclasses import replace

from lambdas.common import vault
from lambdas.common.aws import client, dependency
from lambdas.common.deliveries import HELD, SENDING, SENT, UNKNOWN, ledger_table
from lambdas.common.items import Item, from_item, to_item
from lambdas.common.models import CANCELS, FirstNotice, Identities, Recipient

TOLD = (SENT, UNKNOWN, SENDING, HELD)
"""Who may know, or will: a held notification goes out before the one that withdraws it."""


def withdrawn(identities: Identities, kind: str, event_id: str, encounter_ref: str) -> Identities:
    """The identities with those as recipients who were told what `kind` (of `CANCELS`) withdraws.

    Nobody when nobody was told, when it was withdrawn before, or without `encounter_ref`.
    """
    same_patient = {identities.patient_ref, *identities.merged_from}
    found = [
        item
        for item in (_deliveries(encounter_ref) if encounter_ref else ())
        if item.get("patient_ref") in same_patient and item["event_id"] != event_id
    ]
    recipients = [_again(item) for item in _first_notices(found, kind)]
    return replace(
        identities, recipients=tuple(filter(None, recipients)), considered=(), fallbacks=()
    )


def _first_notices(found: Iterable[Item], kind: str) -> list[Item]:
    """Each recipient's newest notification of what is withdrawn, unless a withdrawal followed it."""
    newest: dict[str, Item] = {}
    for item in sorted(found, key=lambda item: item.get("claimed_at", "")):
        if item["state"] in TOLD and item.get("kind") in (*CANCELS[kind], kind):
            newest[item["recipient_ref"]] = item
    return [item for _, item in sorted(newest.items()) if item["kind"] != kind]


def _again(item: Item) -> Recipient | None:
    """The recipient as they were when they were told, with what they were told."""
    first = Identities.from_dict(
        vault.read_document(item["event_id"], "identities.json", item["identities_version"])
    )
    for recipient in (*first.recipients, *first.fallbacks):
        if recipient.recipient_ref == item["recipient_ref"]:
            notice = FirstNotice(
                item["event_id"], item["delivery_id"], item.get("sent_at") or item["claimed_at"]
            )
            return replace(recipient, withdraws=notice)
    return None


def _deliveries(encounter_ref: str) -> list[Item]:
    pages = client("dynamodb").get_paginator("query")
    found: list[Item] = []
    with dependency("dynamodb"):
        for page in pages.paginate(
            TableName=ledger_table(),
            IndexName="by_encounter",
            KeyConditionExpression="encounter_ref = :encounter",
            ExpressionAttributeValues=to_item({":encounter": encounter_ref}),
        ):
            found += map(from_item, page["Items"])
    return found
