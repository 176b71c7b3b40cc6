"""Reads the marks of a stay as they are now."""

from lambdas.common.aws.clients import dependency
from lambdas.common.aws.items import from_item
from lambdas.common.contracts.document import read_as
from lambdas.common.contracts.encounters.protection import StayMarks
from lambdas.encounters.context import UsesEncounters


def stay_marks(context: UsesEncounters, key: str, encounter_id: str) -> StayMarks:
    """The marks that all messages of a stay have set so far, by a consistent read.

    `key` is the key of its item. No marks where another stay has the key by now. Raises
    `DependencyUnavailableError`.
    """
    if not key:
        return StayMarks()
    with dependency("dynamodb"):
        answer = context.client("dynamodb").get_item(
            TableName=context.settings.encounters_table,
            Key={"pk": {"S": key}},
            ProjectionExpression="encounter_id, protections, #sensitive",
            ExpressionAttributeNames={"#sensitive": "sensitive"},  # a reserved word of DynamoDB
            ConsistentRead=True,
        )
    item = from_item(answer.get("Item", {}))
    if item.get("encounter_id") != encounter_id:
        return StayMarks()
    names = {"flags": "protections", "sensitive": "sensitive"}
    return read_as(StayMarks, {name: item[of] for name, of in names.items() if of in item})
