"""The encounters table with a client of the test's choice."""

from typing import Any

from lambdas.common.aws.clients import Clients
from lambdas.encounters.context import EncountersContext, EncountersSettings
from lambdas.encounters.table import EncounterTable


def table_of(client: Any) -> EncounterTable:
    """The table that this DynamoDB client reaches."""
    settings = EncountersSettings.from_environment()
    return EncounterTable(EncountersContext(settings, Clients(dynamodb=client)))
