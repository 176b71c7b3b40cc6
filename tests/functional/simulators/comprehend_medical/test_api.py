import http.client
import json
import os
import subprocess
import sys
import urllib.parse
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.comprehend_medical import order_fault

NOTE = (
    "😀 Adm. for s/p PE; pain 8/10. Pt w/ a\u0301 hx of a-fib 🫀, sugar diabetes & CHF exac.\n"
    "Denies fever, chills or cough. Mother had breast cancer.\r\n"
    "Takes propanolol 10Mg twice daily, Eliquis 5 mg tablet po bid. Метопролол? metoprolol 25 mg."
)
CATEGORIES = {"MEDICATION", "MEDICAL_CONDITION", "TEST_TREATMENT_PROCEDURE", "ANATOMY"}
TRAITS = {
    "SIGN",
    "SYMPTOM",
    "DIAGNOSIS",
    "NEGATION",
    "PERTAINS_TO_FAMILY",
    "HYPOTHETICAL",
    "LOW_CONFIDENCE",
    "PAST_HISTORY",
}


def post(url: str, operation: str, body: bytes) -> tuple[int, str, dict[str, Any]]:
    """Status, error header and document of a request that no client would send."""
    host = urllib.parse.urlsplit(url).netloc
    connection = http.client.HTTPConnection(host, timeout=30)
    headers = {
        "X-Amz-Target": f"ComprehendMedical_20181030.{operation}",
        "Content-Type": "application/x-amz-json-1.1",
    }
    connection.request("POST", "/", body, headers)
    answer = connection.getresponse()
    document = json.loads(answer.read())
    connection.close()
    return answer.status, answer.getheader("x-amzn-ErrorType", ""), document


def test_every_text_is_the_slice_of_the_note_that_its_offsets_name(comprehend: Any) -> None:
    found = comprehend.detect_entities_v2(Text=NOTE)["Entities"]
    coded = comprehend.infer_icd10_cm(Text=NOTE)["Entities"]
    attributes = [attribute for entity in found for attribute in entity.get("Attributes", ())]
    assert len(found) > 8
    assert attributes
    for entity in (*found, *coded, *attributes):
        assert NOTE[entity["BeginOffset"] : entity["EndOffset"]] == entity["Text"]


def test_detect_entities_v2_answers_in_the_services_shape(comprehend: Any) -> None:
    answer = comprehend.detect_entities_v2(Text=NOTE)
    assert answer["UnmappedAttributes"] == []
    assert answer["ModelVersion"]
    entities = answer["Entities"]
    assert [e["BeginOffset"] for e in entities] == sorted(e["BeginOffset"] for e in entities)
    for entity in entities:
        assert entity["Category"] in CATEGORIES
        assert 0 < entity["Score"] <= 1
        assert {trait["Name"] for trait in entity["Traits"]} <= TRAITS
    identifiers = [e["Id"] for e in entities]
    identifiers += [a["Id"] for e in entities for a in e.get("Attributes", ())]
    assert len(identifiers) == len(set(identifiers))


def test_infer_icd10cm_offers_up_to_five_concepts_best_first(comprehend: Any) -> None:
    entities = comprehend.infer_icd10_cm(Text=NOTE)["Entities"]
    for entity in entities:
        assert (entity["Category"], entity["Type"]) == ("MEDICAL_CONDITION", "DX_NAME")
        scores = [concept["Score"] for concept in entity["ICD10CMConcepts"]]
        assert 1 <= len(scores) <= 5
        assert scores == sorted(scores, reverse=True)
        assert all(concept["Description"] for concept in entity["ICD10CMConcepts"])
        assert "PAST_HISTORY" not in {trait["Name"] for trait in entity["Traits"]}


def test_an_attribute_says_how_it_belongs_to_its_drug(comprehend: Any) -> None:
    found = comprehend.detect_entities_v2(Text="Eliquis 5 mg tablet po bid.")["Entities"]
    assert [(a["Type"], a["RelationshipType"], a["Text"]) for a in found[0]["Attributes"]] == [
        ("STRENGTH", "STRENGTH", "5 mg"),
        ("FORM", "FORM", "tablet"),
        ("ROUTE_OR_MODE", "ROUTE_OR_MODE", "po"),
        ("FREQUENCY", "FREQUENCY", "bid"),
    ]


@pytest.mark.parametrize(
    ("operation", "limit"),
    [
        ("detect_entities_v2", 20_000),
        ("infer_icd10_cm", 10_000),
        ("infer_rx_norm", 10_000),
    ],
)
def test_the_limits_are_bytes_of_utf8(comprehend: Any, operation: str, limit: int) -> None:
    ask = getattr(comprehend, operation)
    ask(Text="é" * (limit // 2))
    with pytest.raises(comprehend.exceptions.TextSizeLimitExceededException) as raised:
        ask(Text="é" * (limit // 2) + "x")
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_an_operation_that_it_lacks_is_refused_as_unknown(comprehend: Any) -> None:
    with pytest.raises(ClientError) as raised:
        comprehend.infer_snomedct(Text="Jane")
    assert raised.value.response["Error"]["Code"] == "UnknownOperationException"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"Text": ""}', "InvalidRequestException"),
        (b"{}", "InvalidRequestException"),
        (b"[]", "InvalidRequestException"),
        (b'{"Text": 7}', "InvalidRequestException"),
        (b'{"Text": "\xff"}', "InvalidEncodingException"),
        (b'{"Text": "\\ud83d"}', "InvalidEncodingException"),
        (b"Text=pain", "SerializationException"),
    ],
)
def test_a_faulty_request_gets_the_services_error(
    stand_in_url: str, body: bytes, error: str
) -> None:
    status, header, document = post(stand_in_url, "DetectEntitiesV2", body)
    assert (status, header, document["__type"]) == (400, error, error)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("TooManyRequestsException", 429),
        ("ServiceUnavailableException", 503),
        ("InternalServerException", 500),
    ],
)
def test_faults_are_answered_as_often_as_ordered(
    comprehend: Any, stand_in_url: str, error: str, status: int
) -> None:
    order_fault(stand_in_url, error, times=2)
    for _ in range(2):
        with pytest.raises(ClientError) as raised:
            comprehend.detect_entities_v2(Text="pain")
        assert raised.value.response["Error"]["Code"] == error
        assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert comprehend.detect_entities_v2(Text="pain")["Entities"]


def test_health_answers_without_a_target(stand_in_url: str) -> None:
    with urllib.request.urlopen(f"{stand_in_url}/health", timeout=30) as answer:
        assert answer.status == 200


def test_it_runs_alone_and_says_nothing_of_what_it_reads() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "simulators.comprehend_medical", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONWARNINGS": "default"},
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip().removeprefix("AWS_ENDPOINT_URL_COMPREHENDMEDICAL=")
        status, _, document = post(url, "InferICD10CM", b'{"Text": "Okafor has gout"}')
        assert status == 200
        assert document["Entities"][0]["ICD10CMConcepts"][0]["Code"] == "M10.9"
    finally:
        process.terminate()
        out, errors = process.communicate(timeout=30)
    assert (out, errors) == ("", "")


def test_infer_rxnorm_gives_the_ingredient_behind_a_misspelt_name(comprehend: Any) -> None:
    found = comprehend.infer_rx_norm(Text="😀 Takes propanolol 10Mg bid, no warfarin.")["Entities"]
    assert [(e["Text"], e["Category"], e["Type"]) for e in found] == [
        ("propanolol", "MEDICATION", "GENERIC_NAME"),
        ("warfarin", "MEDICATION", "GENERIC_NAME"),
    ]
    assert found[0]["RxNormConcepts"][0]["Code"] == "8787"
    assert [(a["Type"], a["Text"]) for a in found[0]["Attributes"]] == [
        ("DOSAGE", "10Mg"),
        ("FREQUENCY", "bid"),
    ]
    assert [trait["Name"] for trait in found[1]["Traits"]] == ["NEGATION"]


def test_a_test_has_its_value_and_unit_and_a_condition_its_side_and_acuity(comprehend: Any) -> None:
    found = comprehend.detect_entities_v2(
        Text="Acute fracture of left wrist. K 7.1 mmol/L. CT done."
    )
    said = {
        (e["Category"], e["Type"], e["Text"]): [
            (a["Type"], a["Text"]) for a in e.get("Attributes", ())
        ]
        for e in found["Entities"]
    }
    assert said["MEDICAL_CONDITION", "DX_NAME", "fracture of left wrist"] == [
        ("ACUITY", "Acute"),
        ("DIRECTION", "left"),
        ("SYSTEM_ORGAN_SITE", "wrist"),
    ]
    assert said["TEST_TREATMENT_PROCEDURE", "TEST_NAME", "K"] == [
        ("TEST_VALUE", "7.1"),
        ("TEST_UNIT", "mmol/L"),
    ]
    assert said["TEST_TREATMENT_PROCEDURE", "TEST_NAME", "CT"] == []
