"""Finds the subscribers whose rosters end soon: once a day, so that an operator can act before."""

from datetime import date, timedelta

from lambdas.common.aws.item_reads import query
from lambdas.lookup_identities.context import LookupContext
from lambdas.registry.records import ROSTER_SOON

DAYS_BEFORE = (ROSTER_SOON, 3)
"""On which days before the last one: time to ask for a new list, and to ask again."""


def ending(context: LookupContext, today: date) -> set[str]:
    """The providers whose roster has its last day so many days from now.

    Raises `DependencyUnavailableError`.
    """
    found = set()
    for days in DAYS_BEFORE:
        last = (today + timedelta(days=days)).isoformat()
        items = query(
            context,
            context.settings.registry_table,
            "roster_until = :last",
            {":last": last},
            IndexName="by_roster_end",
            ProjectionExpression="provider_id",
        )
        found |= {item["provider_id"] for item in items}
    return found
