"""Every answer against the service's own model. boto3 drops a member that it does not know, so the raw JSON is read."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest

MODEL = botocore.session.get_session().get_service_model("comprehendmedical")
KINDS: dict[str, type | tuple[type, ...]] = {"string": str, "integer": int, "float": (int, float)}

NOTE = (
    "Mr. Ivo Brandt, 71 yo man, MRN 5520918, smoker, seen 11/02/2026 for 3 days of cough.\n"
    "Family history: stroke. Allergies: penicillin.\n"
    "Severe pain of left wrist, -fever, possible pneumonia. History of PE. Previously on lithium.\n"
    "K 7.1 mmol/L, CT of the abdomen done. Return if syncope.\n"
    "Takes propanolol 10 mg tablet po bid for 5 days, heparin 900 units/h iv, Eliquis 5 mg."
)


def faults(shape: Any, value: Any, path: str = "") -> Iterator[str]:
    """The members of a JSON value that break a shape of botocore's model, each with its place."""
    if shape.type_name == "structure":
        if not isinstance(value, dict):
            yield f"{path}: no structure"
            return
        yield from (f"{path}.{name}: unknown" for name in value if name not in shape.members)
        yield from (
            f"{path}.{name}: missing" for name in shape.required_members if name not in value
        )
        for name, member in shape.members.items():
            if name in value:
                yield from faults(member, value[name], f"{path}.{name}")
    elif shape.type_name == "list":
        if not isinstance(value, list):
            yield f"{path}: no list"
            return
        for index, item in enumerate(value):
            yield from faults(shape.member, item, f"{path}[{index}]")
    elif not isinstance(value, KINDS[shape.type_name]) or isinstance(value, bool):
        yield f"{path}: no {shape.type_name}"
    elif isinstance(value, str):
        if shape.enum and value not in shape.enum:
            yield f"{path}: {value} is not in the enum"
        if not shape.metadata.get("min", 0) <= len(value) <= shape.metadata.get("max", len(value)):
            yield f"{path}: of a wrong length"


def shape_of(operation: str) -> Any:
    """The shape of an operation's answer."""
    return MODEL.operation_model(operation).output_shape


@pytest.mark.parametrize("operation", ["DetectEntitiesV2", "InferICD10CM", "InferRxNorm"])
def test_the_raw_answer_keeps_to_the_services_model(stand_in_url: str, operation: str) -> None:
    request = urllib.request.Request(
        stand_in_url,
        json.dumps({"Text": NOTE}).encode(),
        {
            "X-Amz-Target": f"ComprehendMedical_20181030.{operation}",
            "Content-Type": "application/x-amz-json-1.1",
        },
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        document = json.load(answer)
    assert len(document["Entities"]) > 3
    assert any(entity.get("Attributes") for entity in document["Entities"])
    assert any(entity["Traits"] for entity in document["Entities"])
    assert list(faults(shape_of(operation), document)) == []


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ({"ModelVersion": "1"}, ".Entities: missing"),
        ({"Entities": {}, "ModelVersion": "1"}, ".Entities: no list"),
        ({"Entities": ["x"], "ModelVersion": "1"}, ".Entities[0]: no structure"),
        ({"Entities": [], "ModelVersion": ""}, ".ModelVersion: of a wrong length"),
        ({"Entities": [], "ModelVersion": "1", "More": 1}, ".More: unknown"),
        ({"Entities": [{"Id": True}], "ModelVersion": "1"}, ".Entities[0].Id: no integer"),
        (
            {"Entities": [{"Type": "DRUG"}], "ModelVersion": "1"},
            ".Entities[0].Type: DRUG is not in the enum",
        ),
    ],
)
def test_the_comparison_names_what_breaks_the_model(document: Any, fault: str) -> None:
    assert list(faults(shape_of("DetectEntitiesV2"), document)) == [fault]
