"""The usual calls of DynamoDB on moto's tables. Each returns the members of the answer.

Each raises `UnusualCallError` before it has written anything, where moto has to answer. All conditions
are tested before the first item of a transaction is written, so that there is nothing to undo.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import msgspec
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import GlobalSecondaryIndex, Table

from local.patches.speed.dynamodb.direct import indexes, tables
from local.patches.speed.dynamodb.direct.conditions import (
    CompiledCondition,
    compile_condition,
)
from local.patches.speed.dynamodb.direct.items import MAY_GROW_TO, attributes_of
from local.patches.speed.dynamodb.direct.tables import Key
from local.patches.speed.dynamodb.direct.tokens import ExpressionTokens
from local.patches.speed.dynamodb.direct.updates import compile_update
from local.patches.speed.dynamodb.direct.values import (
    Attributes,
    Evaluation,
    UnusualCallError,
    Value,
    check,
    scalar,
)

Parameters = Mapping[str, Any]
Answer = dict[str, Any]

CONDITION_FAILED = "The conditional request failed"
CANCELLED = "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]"

MAX_PAGE_BYTES = 900_000
"""Bytes of JSON. DynamoDB ends a page of a query at 1 MB, by a count that is smaller."""

_EXPRESSION = {"ExpressionAttributeNames", "ExpressionAttributeValues"}
_ON_FAILURE = {"ConditionExpression", "ReturnValuesOnConditionCheckFailure", *_EXPRESSION}


class RefusedCallError(Exception):
    """Raised for a call whose condition is not met. `answer` has the members beside the error's type."""

    def __init__(self, kind: str, answer: Answer) -> None:
        super().__init__(kind)
        self.kind, self.answer = kind, answer


class ConditionFailedError(RefusedCallError):
    """Raised for a condition that is not met. `place` are table and key, `item` is the item to return, or None."""

    def __init__(self, place: tuple[str, Key], item: Attributes | None) -> None:
        self.place, self.returned = place, {"Item": item} if item else {}
        answer = {"message": CONDITION_FAILED, **self.returned}
        super().__init__("ConditionalCheckFailedException", answer)


class TableWrite(NamedTuple):
    """One item to write; `after` None deletes it."""

    table: Table
    key: Key
    before: Attributes | None
    after: Attributes | None

    def make(self) -> None:
        """Writes it."""
        indexes.follow(self.table, self.key, self.before, self.after)
        if self.after is None:
            tables.delete(self.table, self.key)
        else:
            tables.put(self.table, self.key, self.after)


def get_item(backend: DynamoDBBackend, asked: Parameters) -> Answer:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetItem.html."""
    _allow(
        asked,
        {"TableName", "Key", "ConsistentRead", "ProjectionExpression", "ExpressionAttributeNames"},
    )
    wanted = _wanted(asked)
    table = _table(backend, asked)
    found = tables.found(table, tables.exact_key(table, asked["Key"]))
    if found is None:
        return {}
    item = attributes_of(found)
    if wanted is not None:
        item = {name: item[name] for name in wanted if name in item}
    return {"Item": item}


def batch_get_item(backend: DynamoDBBackend, asked: Parameters) -> Answer:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html."""
    _allow(asked, {"RequestItems"})
    answer: Answer = {"Responses": {}, "UnprocessedKeys": {}, "ConsumedCapacity": []}
    for name, part in asked["RequestItems"].items():
        _allow(part, {"Keys", "ConsistentRead"})
        table = _table(backend, {"TableName": name})
        keys = [tables.exact_key(table, key) for key in part["Keys"]]
        if not 0 < len(keys) == len(set(keys)) <= 40:  # of 400 kB each, in an answer of 16 MB
            raise UnusualCallError
        items = [item for item in (tables.found(table, key) for key in keys) if item is not None]
        answer["Responses"][name] = [attributes_of(item) for item in items]
        answer["ConsumedCapacity"].append({"CapacityUnits": len(keys), "TableName": name})
    if len(answer["Responses"]) > 1:
        raise UnusualCallError
    return answer


def put_item(backend: DynamoDBBackend, asked: Parameters) -> Answer:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html."""
    _allow(asked, {"TableName", "Item", "ReturnValues", *_ON_FAILURE})
    if asked.get("ReturnValues", "NONE") != "NONE":
        raise UnusualCallError
    _put(backend, asked).make()
    return {}


def delete_item(backend: DynamoDBBackend, asked: Parameters) -> Answer:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DeleteItem.html."""
    _allow(asked, {"TableName", "Key", "ReturnValues", *_ON_FAILURE})
    if asked.get("ReturnValues", "NONE") != "NONE":
        raise UnusualCallError
    _delete(backend, asked).make()
    return {}


def batch_write_item(backend: DynamoDBBackend, asked: Parameters) -> Answer:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html."""
    _allow(asked, {"RequestItems"})
    ((name, requests),) = asked["RequestItems"].items()
    writes = []
    for request in requests:
        _allow(request, {"PutRequest"})
        writes.append(_put(backend, {"TableName": name, **request["PutRequest"]}))
    if not 0 < len({write.key for write in writes}) == len(writes) <= 25:
        raise UnusualCallError
    for write in writes:
        write.make()
    capacity = {"TableName": name, "CapacityUnits": 1.0, "Table": {"CapacityUnits": 1.0}}
    return {"ConsumedCapacity": [capacity], "ItemCollectionMetrics": {}, "UnprocessedItems": {}}


def update_item(backend: DynamoDBBackend, asked: Parameters) -> Answer:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html."""
    _allow(asked, {"TableName", "Key", "UpdateExpression", "ReturnValues", *_ON_FAILURE})
    write = _update(backend, asked)
    returns = asked.get("ReturnValues", "NONE")
    if returns not in ("NONE", "ALL_NEW"):
        raise UnusualCallError
    write.make()
    return {
        **({"Attributes": write.after} if returns == "ALL_NEW" else {}),
        "ConsumedCapacity": {"TableName": asked["TableName"], "CapacityUnits": 0.5},
    }


def transact_write_items(backend: DynamoDBBackend, asked: Parameters) -> Answer:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html."""
    _allow(asked, {"TransactItems", "ClientRequestToken"})
    writes: list[TableWrite] = []
    reasons: list[dict[str, Any]] = []
    places: set[tuple[str, Key]] = set()
    for member in asked["TransactItems"]:
        if len(member) != 1:
            raise UnusualCallError
        ((kind, part),) = member.items()
        if kind not in _MEMBERS:
            raise UnusualCallError
        allowed, prepare = _MEMBERS[kind]
        _allow(part, {"TableName", *allowed, *_ON_FAILURE})
        try:
            write = prepare(backend, part)
        except ConditionFailedError as failed:
            reason = {"Code": "ConditionalCheckFailed", "Message": CONDITION_FAILED}
            reasons.append({**reason, **failed.returned})
            places.add(failed.place)
        else:
            reasons.append({"Code": "None"})
            places.add((write.table.name, write.key))
            writes.append(write)
    if not 0 < len(places) == len(reasons) <= 100:
        raise UnusualCallError
    if len(writes) < len(reasons):
        said = CANCELLED.format(", ".join(reason["Code"] for reason in reasons))
        answer = {"Message": said, "CancellationReasons": reasons}
        raise RefusedCallError("TransactionCanceledException", answer)
    for write in writes:
        write.make()
    return {"ConsumedCapacity": [], "ItemCollectionMetrics": {}}


def query(backend: DynamoDBBackend, asked: Parameters) -> Answer:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html."""
    _allow(
        asked,
        {"TableName", "IndexName", "KeyConditionExpression", "FilterExpression", "ConsistentRead"}
        | {"ScanIndexForward", "Limit", "Select", *_EXPRESSION},
    )
    table = _table(backend, asked)
    condition = _condition(asked.get("KeyConditionExpression"))
    only = _condition(asked["FilterExpression"]) if "FilterExpression" in asked else None
    names, values = _placeholders(asked, condition, only)
    index = _index(table, asked)
    schema = table.schema if index is None else index.schema
    first = _first_part(schema, condition, names, values)
    matching = [
        item
        for item in _candidates(table, index, first)
        if condition.test(Evaluation(item, names, values))
    ]
    if asked.get("ScanIndexForward") is False:
        matching.reverse()
    if len(matching) > asked.get("Limit", len(matching)):
        raise UnusualCallError
    if len(msgspec.json.encode(matching)) > MAX_PAGE_BYTES:
        raise UnusualCallError
    if index is not None:
        matching = _projected(index, matching)
    items = [
        item for item in matching if only is None or only.test(Evaluation(item, names, values))
    ]
    answer: Answer = {"Count": len(items), "ScannedCount": len(matching)}
    if asked.get("Select") == "COUNT":
        return answer
    if "Select" in asked:
        raise UnusualCallError
    return {"Items": items, **answer}


def scan(backend: DynamoDBBackend, asked: Parameters) -> Answer:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html."""
    _allow(
        asked,
        {"TableName", "ConsistentRead", "Segment", "TotalSegments"}
        | {"ProjectionExpression", "ExpressionAttributeNames"},
    )
    wanted = _wanted(asked)
    part: Any = (asked.get("Segment"), asked.get("TotalSegments"))
    if part != (None, None) and not 0 <= part[0] < part[1]:
        raise UnusualCallError
    keyed = sorted(tables.keyed_items(_table(backend, asked)), key=lambda each: each[0])
    items = [attributes_of(item) for _, item in keyed if item.is_within_segment(part)]
    if len(msgspec.json.encode(items)) > MAX_PAGE_BYTES:
        raise UnusualCallError
    if wanted is not None:
        items = [{name: item[name] for name in wanted if name in item} for item in items]
    return {"Items": items, "Count": len(items), "ScannedCount": len(items)}


# -- one item to write


def _put(backend: DynamoDBBackend, asked: Parameters) -> TableWrite:
    table, item = _table(backend, asked), asked["Item"]
    for value in item.values():
        check(value)
    _check_keys(table, item)
    key = tables.key_of(table, item)
    before = _tested(table, key, asked)
    return TableWrite(table, key, before, _of_size(item))


def _delete(backend: DynamoDBBackend, asked: Parameters) -> TableWrite:
    table = _table(backend, asked)
    key = tables.exact_key(table, asked["Key"])
    return TableWrite(table, key, _tested(table, key, asked), None)


def _update(backend: DynamoDBBackend, asked: Parameters) -> TableWrite:
    table = _table(backend, asked)
    key = tables.exact_key(table, asked["Key"])
    update = compile_update(asked.get("UpdateExpression", ""))
    if update is None:
        raise UnusualCallError
    before = _tested(table, key, asked, update.names, update.values)
    names = asked.get("ExpressionAttributeNames", {})
    values = asked.get("ExpressionAttributeValues", {})
    for value in values.values():
        check(value)
    after = update.apply(Evaluation(before or asked["Key"], names, values))
    if any(after.get(name) != value for name, value in asked["Key"].items()):
        raise UnusualCallError
    _check_keys(table, after)
    return TableWrite(table, key, before, _of_size(after))


_MEMBERS: dict[str, tuple[set[str], Callable[[DynamoDBBackend, Parameters], TableWrite]]] = {
    "Put": ({"Item"}, _put),
    "Delete": ({"Key"}, _delete),
    "Update": ({"Key", "UpdateExpression"}, _update),
}


def _tested(
    table: Table,
    key: Key,
    asked: Parameters,
    names_used: Iterable[str] = (),
    values_used: Iterable[str] = (),
) -> Attributes | None:
    """The item before. Raises `ConditionFailedError` unless it meets the condition."""
    condition = _condition(asked["ConditionExpression"]) if "ConditionExpression" in asked else None
    names, values = _placeholders(asked, condition, None, names_used, values_used)
    item = tables.found(table, key)
    before = None if item is None else attributes_of(item)
    if condition is not None and not condition.test(Evaluation(before or {}, names, values)):
        returns = asked.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
        raise ConditionFailedError((table.name, key), before if returns else None)
    return before


def _of_size(item: Attributes) -> Attributes:
    if len(msgspec.json.encode(item)) > MAY_GROW_TO:
        raise UnusualCallError
    return item


def _check_keys(table: Table, item: Attributes) -> None:
    """Raises `UnusualCallError` for a key of an index that is empty or of another type."""
    for name, kind in tables.index_keys(table).items():
        value = item.get(name)
        if value is not None and not value.get(kind):
            raise UnusualCallError


# -- the attributes to return


def _wanted(asked: Parameters) -> list[str] | None:
    """The names in the projection expression; None without one. Members of attributes are left to moto."""
    names, words = asked.get("ExpressionAttributeNames", {}), []
    if "ProjectionExpression" not in asked:
        if "ExpressionAttributeNames" in asked:
            raise UnusualCallError
        return None
    expression = ExpressionTokens(asked["ProjectionExpression"])
    words.append(expression.name())
    while expression.takes(","):
        words.append(expression.name())
    wanted = [names.get(word, word) for word in words]
    if expression.peek() or expression.names != set(names) or len(set(wanted)) < len(wanted):
        raise UnusualCallError
    return wanted


# -- what a query reads


def _index(table: Table, asked: Parameters) -> GlobalSecondaryIndex | None:
    name = asked.get("IndexName")
    if name is None:
        return None
    index = next((each for each in table.global_indexes if each.name == name), None)
    if index is None or asked.get("ConsistentRead"):
        raise UnusualCallError
    return index


def _projected(index: GlobalSecondaryIndex, items: list[Attributes]) -> list[Attributes]:
    """The attributes of the items that the index holds."""
    if index.projection["ProjectionType"] == "ALL":
        return items
    kept = {
        *index.table_key_attrs,
        *(each["AttributeName"] for each in index.schema),
        *index.projection.get("NonKeyAttributes", []),
    }
    return [{name: item[name] for name in item if name in kept} for item in items]


def _first_part(
    schema: list[dict[str, str]],
    condition: CompiledCondition,
    names: Mapping[str, str],
    values: Mapping[str, Value],
) -> tuple[str, Value]:
    """The partition key and its value. Raises `UnusualCallError` for no sound key condition."""
    keys = {each["KeyType"]: each["AttributeName"] for each in schema}
    if len(keys) != len(schema):
        raise UnusualCallError
    compared = {names.get(each.name, each.name): each for each in condition.comparisons}
    if len(compared) != len(condition.comparisons) or not compared.keys() <= set(keys.values()):
        raise UnusualCallError
    first = compared.get(keys["HASH"])
    if first is None or first.comparator != "=":
        raise UnusualCallError
    if any(each.comparator == "<>" for each in compared.values()):
        raise UnusualCallError
    scalar(values[first.value])
    return keys["HASH"], values[first.value]


def _candidates(
    table: Table, index: GlobalSecondaryIndex | None, first: tuple[str, Value]
) -> list[Attributes]:
    """The items of a partition of the table or the index, in its order."""
    name, value = first
    if index is None:
        (part,) = tables.key_of_partition(table, value)
        return tables.of_partition(table, part)
    order = [each["AttributeName"] for each in index.schema if each["KeyType"] == "RANGE"]
    listed = (tables.listed(table, key) for key in indexes.keys_with(table, name, value))
    items = [item for item in map(attributes_of, listed) if all(each in item for each in order)]
    order += [key for key in (table.hash_key_attr, table.range_key_attr) if key]
    return sorted(items, key=lambda item: [scalar(item[each])[1] for each in order])


# -- what all calls share


def _table(backend: DynamoDBBackend, asked: Parameters) -> Table:
    table = backend.tables.get(asked["TableName"])
    if table is None or table.stream_shard is not None:
        raise UnusualCallError
    return table


def _allow(asked: Parameters, known: set[str]) -> None:
    if not asked.keys() <= known:
        raise UnusualCallError


def _condition(text: Any) -> CompiledCondition:
    condition = compile_condition(text) if isinstance(text, str) else None
    if condition is None:
        raise UnusualCallError
    return condition


def _placeholders(
    asked: Parameters,
    condition: CompiledCondition | None,
    other: CompiledCondition | None = None,
    names_used: Iterable[str] = (),
    values_used: Iterable[str] = (),
) -> tuple[Mapping[str, str], Mapping[str, Value]]:
    """The names and values of the placeholders: exactly those that the expressions use."""
    used, used_values = set(names_used), set(values_used)
    for each in (condition, other):
        if each is not None:
            used |= each.names
            used_values |= each.values
    names = asked.get("ExpressionAttributeNames", {})
    values = asked.get("ExpressionAttributeValues", {})
    if names.keys() != used or values.keys() != used_values:
        raise UnusualCallError
    if ("ExpressionAttributeNames" in asked and not names) or (
        "ExpressionAttributeValues" in asked and not values
    ):
        raise UnusualCallError
    return names, values


CALLS: dict[str, Callable[[DynamoDBBackend, Parameters], Answer]] = {
    "BatchGetItem": batch_get_item,
    "BatchWriteItem": batch_write_item,
    "DeleteItem": delete_item,
    "GetItem": get_item,
    "PutItem": put_item,
    "Query": query,
    "Scan": scan,
    "TransactWriteItems": transact_write_items,
    "UpdateItem": update_item,
}
