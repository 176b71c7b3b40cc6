import json
import threading

import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError

from lambdas.common.audit import chain, verification
from lambdas.common.contracts.document import read_as
from lambdas.common.contracts.findings import ClinicalFindings
from lambdas.common.contracts.message.notes import Skipped, SkippedReason
from lambdas.common.errors import ConfigurationError, DependencyUnavailableError, UnexpectedError
from lambdas.extract_entities.comprehend_medical import comprehend
from lambdas.extract_entities.context import ExtractContext
from tests.functional.lambdas.extract_entities.conftest import EVENT_ID, RunStep
from tests.support.broken import breaking, refusing
from tests.support.comprehend_medical import order_fault
from tests.support.vault import read_json


def stored(context: ExtractContext, version_id: str) -> ClinicalFindings:
    return read_as(ClinicalFindings, read_json(context, EVENT_ID, "clinical.json", version_id))


def test_conditions_and_medications_are_written_with_code_words_and_dose(
    context: ExtractContext,
    run_step: RunStep,
) -> None:
    result = run_step(
        "Diagnosis is s/p PE. Co-morbid: diabetes and a-fib.",
        "Denies fever. Taking propanolol 10Mg daily",
    )
    assert {**result, "version_id": ""} == {
        "outcome": "extracted",
        "conditions": 3,
        "medications": 1,
        "unanswered": 0,
        "version_id": "",
        "turn": 0,
        "wait_seconds": 0,
    }
    findings = stored(context, result["version_id"])
    assert [(f.text, f.code, f.field) for f in findings.conditions] == [
        ("PE", "I26.99", "OBX[1]-5"),
        ("diabetes", "E11.9", "OBX[1]-5"),
        ("a-fib", "I48.91", "OBX[1]-5"),
    ]
    assert findings.conditions[0].description == (
        "Other pulmonary embolism without acute cor pulmonale"
    )
    assert [(f.text, f.detail, f.field) for f in findings.medications] == [
        ("propanolol", "10Mg daily", "OBX[2]-5")
    ]
    assert findings.set_aside == {"negated": 1}
    assert set(findings.model_versions) == {"DetectEntitiesV2", "InferICD10CM"}


def test_a_sentence_that_the_sender_wrapped_over_two_segments_is_read_as_one(
    context: ExtractContext,
    run_step: RunStep,
) -> None:
    result = run_step("There is no evidence of", "PE on imaging")
    assert (result["conditions"], stored(context, result["version_id"]).set_aside) == (
        0,
        {"negated": 1},
    )


@pytest.mark.parametrize("notes", [(), ("",), (" \n", "\t")])
def test_nothing_to_read_is_an_outcome_and_asks_nobody(
    context: ExtractContext, run_step: RunStep, notes: tuple[str, ...]
) -> None:
    with refusing(context.client("comprehendmedical", comprehend.CONFIG), "*", "Unasked") as asked:
        result = run_step(*notes)
    assert result["outcome"] == "nothing_to_read"
    assert stored(context, result["version_id"]).conditions == ()
    assert asked == []


def test_switched_off_is_an_outcome_and_asks_nobody(
    context: ExtractContext, run_step: RunStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENS_COST_MODE", "off")
    with refusing(context.client("comprehendmedical", comprehend.CONFIG), "*", "Unasked") as asked:
        result = run_step("Has diabetes.")
    assert result["outcome"] == "switched_off"
    assert asked == []


def test_the_audit_counts_findings_requests_and_units(
    context: ExtractContext, run_step: RunStep
) -> None:
    result = run_step("Has diabetes, denies fever. " + "x" * 200)
    entry = chain.entries(context, EVENT_ID)[0]
    assert (entry["action"], entry["outcome"], entry["result"]) == ("EXTRACTED", "ok", "extracted")
    assert entry["counts"] == {
        "conditions": 1,
        "medications": 0,
        "set_aside": 1,
        "requests": 2,
        "from_cache": 0,
        "not_analysed": 0,
    }
    assert entry["units"] == {"DetectEntitiesV2": 3, "InferICD10CM": 3}
    assert entry["set_aside"] == {"negated": 1}
    assert entry["documents"][0]["version_id"] == result["version_id"]
    assert verification.verify(context, EVENT_ID).holds


def test_nothing_of_a_note_is_said_outside_the_vault(
    context: ExtractContext,
    run_step: RunStep,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    result = run_step("Amara Okafor has diabetes and takes metformin")
    out = capsys.readouterr()
    said = json.dumps([result, chain.entries(context, EVENT_ID), out.out, out.err, caplog.text])
    for secret in ("Okafor", "diabetes", "metformin", "E11"):
        assert secret not in said


def test_a_long_note_is_read_to_its_end_in_pieces(
    context: ExtractContext, run_step: RunStep
) -> None:
    filler = "The patient was seen on rounds and rested. "
    note = "Has gout. " + filler * 600 + "Takes warfarin 5 mg daily. Has asthma."
    result = run_step(note)
    findings = stored(context, result["version_id"])
    assert [f.code for f in findings.conditions] == ["M10.9", "J45.909"]
    assert [f.detail for f in findings.medications] == ["5 mg daily"]
    assert chain.entries(context, EVENT_ID)[0]["counts"]["requests"] == 2 + 3


@pytest.mark.parametrize(
    "error",
    ["TooManyRequestsException", "ServiceUnavailableException", "InternalServerException"],
)
def test_a_service_that_throttles_or_fails_is_a_dependency_that_is_unavailable(
    run_step: RunStep, stand_in_url: str, error: str
) -> None:
    order_fault(stand_in_url, error, times=50)
    try:
        with pytest.raises(DependencyUnavailableError, match=error):
            run_step("Has diabetes.")
    finally:
        order_fault(stand_in_url, error, times=0)


def test_one_throttled_request_is_asked_again(run_step: RunStep, stand_in_url: str) -> None:
    order_fault(stand_in_url, "TooManyRequestsException", times=1)
    assert run_step("Has diabetes.")["conditions"] == 1


@pytest.mark.parametrize(
    "failure",
    [
        ConnectTimeoutError(endpoint_url="http://comprehend.example"),
        EndpointConnectionError(endpoint_url="http://comprehend.example"),
    ],
)
def test_a_service_that_cannot_be_reached_is_a_dependency_that_is_unavailable(
    context: ExtractContext, run_step: RunStep, failure: Exception
) -> None:
    comprehend_client = context.client("comprehendmedical", comprehend.CONFIG)
    with (
        breaking(comprehend_client, "InferICD10CM", failure),
        breaking(comprehend_client, "DetectEntitiesV2", failure),
        pytest.raises(DependencyUnavailableError, match=type(failure).__name__),
    ):
        run_step("Has diabetes.")


def test_answers_that_do_not_come_in_time_end_the_step_before_the_function_does(
    run_step: RunStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()
    monkeypatch.setattr(comprehend, "ANSWER_SECONDS", 0.05)
    monkeypatch.setattr(comprehend, "_ask", lambda *_: over.wait(30))
    try:
        with pytest.raises(DependencyUnavailableError, match="in time"):
            run_step("Has diabetes.")
    finally:
        over.set()


def test_a_refusal_that_no_retry_mends_names_its_code_and_place_only(
    context: ExtractContext, run_step: RunStep
) -> None:
    code = "AccessDeniedException"
    comprehend_client = context.client("comprehendmedical", comprehend.CONFIG)
    with (
        refusing(comprehend_client, "DetectEntitiesV2", code),
        pytest.raises(
            UnexpectedError,
            match=f"{code} at lambdas/extract_entities/comprehend_medical/comprehend.py",
        ),
    ):
        run_step("Has diabetes.")


def test_a_cost_mode_that_is_not_on_the_list_is_a_configuration_error(
    run_step: RunStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENS_COST_MODE", "cheap")
    with pytest.raises(ConfigurationError, match="ENS_COST_MODE is none of full, coded, off"):
        run_step("Has diabetes.")


def test_coded_mode_finds_the_same_conditions_and_medications_with_the_cheap_operations(
    context: ExtractContext, run_step: RunStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = "s/p PE. Diabetes and a-fib. Denies fever. Takes warfarin 5 mg daily."
    full = stored(context, run_step(note)["version_id"])
    monkeypatch.setenv("ENS_COST_MODE", "coded")
    coded = stored(context, run_step(note)["version_id"])
    assert [(f.text, f.code) for f in coded.conditions] == [
        (f.text, f.code) for f in full.conditions
    ]
    assert [(f.text, f.detail) for f in coded.medications] == [("warfarin", "5 mg daily")]
    assert coded.medications[0].code == "11289"
    assert set(coded.model_versions) == {"InferICD10CM", "InferRxNorm"}


def test_the_same_note_is_asked_once_and_found_again_in_the_vault(
    context: ExtractContext, run_step: RunStep
) -> None:
    first = run_step("Has gout. Denies fever.")
    with refusing(context.client("comprehendmedical", comprehend.CONFIG), "*", "Unasked") as asked:
        again = run_step("Has gout. Denies fever.")
    assert asked == []
    assert stored(context, again["version_id"]) == stored(context, first["version_id"])
    assert chain.entries(context, EVENT_ID)[-1]["counts"]["from_cache"] == 2
    assert sum(chain.entries(context, EVENT_ID)[-1]["units"].values()) == 0


def test_a_kept_analysis_dies_with_its_days(
    context: ExtractContext, run_step: RunStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_step("Has gout.")
    monkeypatch.setenv("ENS_CACHE_DAYS", "0")
    run_step("Has gout.")
    assert chain.entries(context, EVENT_ID)[-1]["counts"]["from_cache"] == 0


@pytest.mark.parametrize(
    ("broken", "codes"), [("InferICD10CM", [""]), ("DetectEntitiesV2", ["M10.9"])]
)
def test_what_one_operation_found_is_used_when_the_other_fails_and_the_rest_is_named(
    context: ExtractContext, run_step: RunStep, broken: str, codes: list[str]
) -> None:
    comprehend_client = context.client("comprehendmedical", comprehend.CONFIG)
    with refusing(comprehend_client, broken, "TextSizeLimitExceededException"):
        result = run_step("Has gout.")
    found = stored(context, result["version_id"])
    assert [f.code for f in found.conditions] == codes
    assert found.not_analysed == (
        Skipped("OBX[1]-5", SkippedReason.SERVICE, f"{broken} TextSizeLimitExceededException"),
    )
    again = stored(context, run_step("Has gout.")["version_id"])
    assert again.not_analysed == ()


def test_a_note_in_another_language_is_not_sent(context: ExtractContext, run_step: RunStep) -> None:
    note = "Der Patient klagt über Schmerzen in der Brust und hat seit gestern Fieber mit Husten."
    with refusing(context.client("comprehendmedical", comprehend.CONFIG), "*", "Unasked") as asked:
        result = run_step(note)
    assert asked == []
    assert result["outcome"] == "not_english"
    assert stored(context, result["version_id"]).not_analysed == (
        Skipped("OBX[1]-5", SkippedReason.LANGUAGE, "de"),
    )


def test_findings_that_are_not_of_now_are_kept_apart_and_tests_have_their_values(
    context: ExtractContext,
    run_step: RunStep,
) -> None:
    result = run_step("Acute left hip pain. Denies fever. Mother had breast cancer. BP 120/80.")
    found = stored(context, result["version_id"])
    assert [(f.text, f.finding_type, f.acuity) for f in found.conditions] == [
        ("left hip pain", "symptom", "Acute")
    ]
    assert found.conditions[0].anatomy == "left hip"
    assert {reason: [f.text for f in fs] for reason, fs in found.apart.items()} == {
        "negated": ["fever"],
        "family": ["breast cancer"],
    }
    assert [(f.text, f.detail) for f in found.tests] == [("BP", "120/80")]
