"""Finds the subscribers whose rosters end soon: once a day, so that an operator can act before."""

from datetime import date, timedelta

from lambdas.common.aws.clients import dependency
from lambdas.common.aws.items import from_item, to_item
from lambdas.lookup_identities.context import LookupContext
from lambdas.registry.records import ROSTER_SOON

DAYS_BEFORE = (ROSTER_SOON, 3)
"""On which days before the last one: time to ask for a new list, and to ask again."""


def ending(context: LookupContext, today: date) -> set[str]:
    """The providers whose roster has its last day so many days from now.

    Raises `DependencyUnavailableError`.
    """
    pages = context.client("dynamodb").get_paginator("query")
    found = set()
    for days in DAYS_BEFORE:
        last = (today + timedelta(days=days)).isoformat()
        with dependency("dynamodb"):
            for page in pages.paginate(
                TableName=context.settings.registry_table,
                IndexName="by_roster_end",
                KeyConditionExpression="roster_until = :last",
                ProjectionExpression="provider_id",
                ExpressionAttributeValues=to_item({":last": last}),
            ):
                found |= {from_item(item)["provider_id"] for item in page["Items"]}
    return found
