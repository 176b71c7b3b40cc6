"""The hash of an item of any types, as DynamoDB may hold it."""

from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import Binary

from lambdas.common.audit.canonical import GENESIS, hash_of
from lambdas.common.aws.items import from_item, to_item

OTHER_TYPES = [
    Decimal("40.5"),
    Decimal("1E+125"),
    Decimal("-1"),
    Binary(b"40"),
    {"40", "41"},
    {Decimal(40), Decimal("40.5")},
    {Binary(b"40")},
    None,
    True,
    "40",
    ["40"],
    {"40": Decimal("0.1")},
]


@pytest.mark.parametrize("value", OTHER_TYPES)
def test_a_value_of_another_type_has_another_hash(value: Any) -> None:
    entry = {"event_id": "e", "sk": "00000001", "duration_ms": 40}
    item = to_item({**entry, "duration_ms": value})
    stored = from_item(item)
    assert hash_of(GENESIS, stored) != hash_of(GENESIS, entry)
    assert hash_of(GENESIS, stored) == hash_of(GENESIS, from_item(item))


def test_a_whole_number_has_one_hash_however_it_was_read() -> None:
    assert hash_of(GENESIS, {"seq": 4}) == hash_of(GENESIS, {"seq": Decimal("4.0")})
