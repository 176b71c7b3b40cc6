"""Bodies that are taken as they are have the bytes and the values of botocore's own way."""

import json
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel
from botocore.parsers import JSONParser
from botocore.serialize import JSONSerializer

from local.patches.botocore import json_bodies

ITEM = {
    "s": {"S": "née"},
    "n": {"N": "1.50"},
    "t": {"BOOL": True},
    "none": {"NULL": True},
    "l": {"L": [{"S": "B"}, {"M": {"deep": {"SS": ["x", "y"]}}}]},
}
WITH_BYTES = {"b": {"B": b"\x00\xff"}, "many": {"BS": [b"a", b"b"]}}
IN_BASE64 = {"b": {"B": "AP8="}, "many": {"BS": ["YQ==", "Yg=="]}}

REQUESTS: list[tuple[str, str, dict[str, Any]]] = [
    ("dynamodb", "PutItem", {"TableName": "t", "Item": ITEM}),
    ("dynamodb", "PutItem", {"TableName": "t", "Item": ITEM | WITH_BYTES}),
    ("dynamodb", "BatchGetItem", {"RequestItems": {"t": {"Keys": [{"id": {"S": "a"}}]}}}),
    ("kms", "GenerateMac", {"KeyId": "k", "Message": b"m", "MacAlgorithm": "HMAC_SHA_256"}),
    ("sqs", "SendMessage", {"QueueUrl": "u", "MessageBody": "b", "DelaySeconds": 0}),
    ("stepfunctions", "StartExecution", {"stateMachineArn": "a", "input": '{"a": 1}'}),
]
ANSWERS: list[tuple[str, str, dict[str, Any]]] = [
    ("dynamodb", "GetItem", {"Item": ITEM}),
    ("dynamodb", "GetItem", {"Item": ITEM | IN_BASE64}),
    ("dynamodb", "GetItem", {"Item": ITEM, "Unknown": 1, "ConsumedCapacity": None}),
    ("dynamodb", "Query", {"Items": [ITEM, ITEM], "Count": 2}),
    ("dynamodb", "Query", {"Items": [], "ConsumedCapacity": {"TableName": "t", "Table": None}}),
    ("dynamodb", "DescribeTable", {"Table": {"TableName": "t", "CreationDateTime": 1.5}}),
    ("kms", "GenerateMac", {"Mac": "AP8=", "KeyId": "k"}),
    ("secretsmanager", "GetSecretValue", {"SecretString": "s", "CreatedDate": 1.5}),
    ("sqs", "ReceiveMessage", {"Messages": [{"Body": "b", "Attributes": {"a": "1"}}]}),
    ("comprehendmedical", "DetectEntitiesV2", {"Entities": [{"Score": 0.5}], "ModelVersion": "1"}),
]


def operation(service: str, name: str) -> OperationModel:
    """The operation in AWS's own model, read anew."""
    return ServiceModel(Loader().load_service_model(service, "service-2")).operation_model(name)


@pytest.fixture(autouse=True)
def installed() -> None:
    json_bodies.install()


@pytest.mark.parametrize(("service", "name", "parameters"), REQUESTS)
def test_a_request_has_the_bytes_that_botocore_writes(
    service: str, name: str, parameters: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def body() -> bytes:
        request = JSONSerializer().serialize_to_request(parameters, operation(service, name))
        written: bytes = request["body"]
        return written

    changed = body()
    monkeypatch.setattr(
        JSONSerializer, "_serialize_type_structure", json_bodies._serialize_structure
    )
    assert changed == body()


@pytest.mark.parametrize(("service", "name", "document"), ANSWERS)
def test_an_answer_has_the_values_that_botocore_reads(
    service: str, name: str, document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def values() -> Any:
        response = {"status_code": 200, "headers": {}, "body": json.dumps(document).encode()}
        return JSONParser().parse(response, operation(service, name).output_shape)

    changed = values()
    monkeypatch.setattr(JSONParser, "_handle_json_body", json_bodies._handle_json_body)
    assert changed == values()


def test_the_usual_calls_of_dynamodb_are_not_copied() -> None:
    for name in ("GetItem", "BatchGetItem", "UpdateItem", "TransactWriteItems", "Query"):
        model = operation("dynamodb", name)
        assert json_bodies._converted(model.input_shape) == {"AttributeValue"}
        assert json_bodies._converted(model.output_shape) - json_bodies.NUMBERS <= {
            "AttributeValue"
        }
