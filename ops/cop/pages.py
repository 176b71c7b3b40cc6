"""A DynamoDB client for long reads: its items are decoded by msgspec, and come in DynamoDB's JSON.

botocore walks through each value of an item by its model, in Python: 50,000 events took 6 s of CPU time, now 2 s
(docs/adr/0287-report-reads-the-index-by-day.md). botocore's event `before-parse` lets a handler give parts of
an answer; botocore parses the rest.
"""

from typing import Any

import msgspec
from botocore.config import Config

from lambdas.common.context import Context

CONFIG = Config(connect_timeout=3, read_timeout=10, max_pool_connections=16)
EVENT = "before-parse.dynamodb.Query"


def long_reads(context: Context) -> Any:
    """Returns the client. A text is `{"S": …}`, a number `{"N": "…"}`, as in the service's API."""
    client = context.client("dynamodb", CONFIG)
    client.meta.events.register(EVENT, _decode_items, unique_id="hl7-ens-items")
    return client


def _decode_items(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any
) -> None:
    """Decodes the items of a successful answer, and leaves botocore the rest."""
    if response_dict["status_code"] != 200:
        return
    document = msgspec.json.decode(response_dict["body"])
    customized_response_dict["Items"] = document.pop("Items", [])
    response_dict["body"] = msgspec.json.encode(document)
