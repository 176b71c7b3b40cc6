"""Compiled conditions decide as moto's."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto.dynamodb.responses import DynamoHandler

from local.patches.speed.dynamodb.direct import handler
from tests.functional.local.patches.speed.dynamodb.direct.world import MOTO, call, item, key

scalars = st.one_of(
    st.builds(lambda text: {"S": text}, st.text(max_size=3)),
    st.builds(lambda number: {"N": str(number)}, st.integers(-9, 9)),
    st.builds(lambda truth: {"BOOL": truth}, st.booleans()),
)
comparisons = st.sampled_from(
    ["v = :x", "v <> :x", "attribute_exists(v)", "attribute_not_exists(v)", "v IN (:x, :y)"]
)
conditions: st.SearchStrategy[str] = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.builds("{} AND {}".format, inner, inner),
        st.builds("({}) OR {}".format, comparisons, inner),
        st.builds("NOT {}".format, comparisons),
    ),
    max_leaves=4,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(condition=conditions, stored_value=st.none() | scalars, x=scalars, y=scalars)
def test_any_condition_decides_as_in_moto(
    dynamodb: Any,
    condition: str,
    stored_value: dict[str, Any] | None,
    x: dict[str, Any],
    y: dict[str, Any],
) -> None:
    values = {name: value for name, value in ((":x", x), (":y", y)) if name in condition}
    before = item("p", 1) if stored_value is None else item("p", 1, v=stored_value)

    def decided(dispatch: Callable[..., Any]) -> Any:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(DynamoHandler, "_dispatch", dispatch)
            dynamodb.put_item(TableName="t", Item=before)
            return call(
                dynamodb,
                "delete_item",
                TableName="t",
                Key=key("p", 1),
                ConditionExpression=condition,
                **({"ExpressionAttributeValues": values} if values else {}),
            )

    assert decided(handler._dispatch) == decided(MOTO)
