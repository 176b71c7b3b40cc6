"""Parameters with attribute values are accepted and refused as by botocore, with its sentences."""

from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from hypothesis import example, given
from hypothesis import strategies as st

from local.patches.botocore import attribute_values

DYNAMODB = ServiceModel(Loader().load_service_model("dynamodb", "service-2"))
OWN = attribute_values._validate_map

contents = st.one_of(
    *(st.text(max_size=2), st.booleans(), st.integers(), st.none(), st.binary(max_size=2)),
    st.lists(st.one_of(st.text(max_size=2), st.integers(), st.binary(max_size=2)), max_size=2),
)
kinds = st.sampled_from(["S", "N", "BOOL", "NULL", "B", "SS", "NS", "BS", "M", "L", "X"])
values: st.SearchStrategy[Any] = st.recursive(
    st.dictionaries(kinds, contents, max_size=2),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"M": st.dictionaries(st.text(max_size=2), inner, max_size=2)}),
        st.fixed_dictionaries({"L": st.lists(inner, max_size=2)}),
    ),
    max_leaves=6,
)
items = st.dictionaries(st.one_of(st.text(max_size=2), st.integers()), values, max_size=3)


@given(item=items)
@example(item={})
@example(item={"a": {}})
@example(item={"a": {"S": "x", "N": "1"}})
@example(item={"a": {"S": True}})
@example(item={"a": {"L": ({"S": "x"},)}})
@example(item={1: {"S": "x"}})
def test_the_same_errors_are_reported(item: dict[Any, Any]) -> None:
    shape = DYNAMODB.operation_model("PutItem").input_shape
    parameters = {"TableName": "t", "Item": item, "ExpressionAttributeValues": item}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ParamValidator, "_validate_map", OWN)
        expected = ParamValidator().validate(parameters, shape).generate_report()
        patched.setattr(ParamValidator, "_validate_map", attribute_values._checked)
        assert ParamValidator().validate(parameters, shape).generate_report() == expected


def test_values_that_are_well_formed_are_not_left_to_botocore(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left: list[Any] = []
    monkeypatch.setattr(attribute_values, "_validate_map", lambda _, item, *rest: left.append(item))
    monkeypatch.setattr(ParamValidator, "_validate_map", attribute_values._checked)
    shape = DYNAMODB.operation_model("PutItem").input_shape
    deep = {"a": {"L": [{"M": {"b": {"SS": ["x"]}}}]}, "c": {"BOOL": True}, "d": {"N": "1"}}
    ParamValidator().validate({"TableName": "t", "Item": deep}, shape)
    assert left == []
    ParamValidator().validate({"TableName": "t", "Item": {"b": {"B": b"x"}}}, shape)
    assert left == [{"b": {"B": b"x"}}]
