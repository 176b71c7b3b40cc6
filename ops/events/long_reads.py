"""Long reads of the audit table: items are decoded by msgspec.

botocore walks through each value of an item by its model, in Python, and boto3's deserializer once more:
that was two thirds of the time of `ens report cop` (docs/adr/0287-report-reads-the-index-by-day.md).
botocore's event `before-parse` lets a handler give parts of an answer; botocore parses the rest.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from botocore.config import Config

from lambdas.common.aws.item_reads import pages
from lambdas.common.aws.items import Item, from_item
from lambdas.common.function.context import Context
from ops.events.timeline import Entry

CONFIG = Config(connect_timeout=3, read_timeout=10, max_pool_connections=16)
EVENT = "before-parse.dynamodb.Query"


def long_reads(context: Context) -> Any:
    """Returns the client, whose items come in DynamoDB's JSON: a text is `{"S": …}`."""
    client = context.client("dynamodb", CONFIG)
    client.meta.events.register(EVENT, _decode_items, unique_id="hl7-ens-items")
    return client


def entries(client: Any, table: str, condition: str, values: Item, **more: Any) -> Iterator[Entry]:
    """Yields the items of a Query as `item_reads.query`. `client` is that of `long_reads`."""
    for page in pages(client, table, condition, values, **more):
        for item in page["Items"]:
            # Nearly all members are texts, which need no deserializer.
            yield {
                name: value["S"] if "S" in value else from_item({name: value})[name]
                for name, value in item.items()
            }


def _decode_items(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any
) -> None:
    """Decodes the items of a successful answer, and leaves botocore the rest."""
    if response_dict["status_code"] != 200:
        return
    document = msgspec.json.decode(response_dict["body"])
    customized_response_dict["Items"] = document.pop("Items", [])
    response_dict["body"] = msgspec.json.encode(document)
