"""Failures on the way: found results are used, and the other parts are named by their position."""

import time
from typing import Any

import pytest

from lambdas.common.audit import chain
from lambdas.common.contracts.document import read_as
from lambdas.common.contracts.findings import ClinicalFindings
from lambdas.common.contracts.message.notes import Skipped, SkippedReason
from lambdas.common.errors import DependencyUnavailableError
from lambdas.extract_entities.comprehend_medical import comprehend
from lambdas.extract_entities.context import ExtractContext
from tests.functional.lambdas.extract_entities.conftest import EVENT_ID, RunStep
from tests.support.broken import refusing
from tests.support.vault import read_json

FAILURES = [
    ("TooManyRequestsException", 429),
    ("ServiceUnavailableException", 503),
    ("InternalServerException", 500),
    *[(code, 400) for code in sorted(comprehend.REFUSED_TEXT)],
]
FILLER = "The patient was seen on rounds and rested well today. " * 150


def stored(context: ExtractContext, result: dict[str, Any]) -> ClinicalFindings:
    document = read_json(context, EVENT_ID, "clinical.json", result["version_id"])
    return read_as(ClinicalFindings, document)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets botocore's back-off between attempts pass at once."""
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)


@pytest.mark.parametrize(("code", "status"), FAILURES)
@pytest.mark.parametrize("broken", ["DetectEntitiesV2", "InferICD10CM"])
def test_an_operation_that_fails_is_named_and_the_others_findings_are_told(
    context: ExtractContext, run_step: RunStep, broken: str, code: str, status: int
) -> None:
    with refusing(context.client("comprehendmedical", comprehend.CONFIG), broken, code, status):
        found = stored(context, run_step("Has gout."))
    assert [f.text for f in found.conditions] == ["gout"]
    assert found.not_analysed == (Skipped("OBX[1]-5", SkippedReason.SERVICE, f"{broken} {code}"),)
    entry = chain.entries(context, EVENT_ID)[-1]
    assert entry["error"] == f"{broken} {code}"
    assert entry["units"].get(broken, 0) == 0


def test_a_text_that_the_service_refuses_is_not_sent_again_and_is_named(
    context: ExtractContext, run_step: RunStep
) -> None:
    client = context.client("comprehendmedical", comprehend.CONFIG)
    with refusing(client, "*", "InvalidRequestException"):
        result = run_step("Has gout.")
    assert result["outcome"] == "unavailable"
    assert {gap.position for gap in stored(context, result).not_analysed} == {"OBX[1]-5"}


def test_what_one_operation_answered_is_not_paid_for_again_when_the_other_recovers(
    context: ExtractContext,
    run_step: RunStep,
) -> None:
    broken = context.client("comprehendmedical", comprehend.CONFIG)
    with refusing(broken, "InferICD10CM", "InternalServerException", 500):
        run_step("Has gout.")
    found = stored(context, run_step("Has gout."))
    assert found.not_analysed == ()
    assert chain.entries(context, EVENT_ID)[-1]["units"] == {"InferICD10CM": 1}


@pytest.mark.parametrize(("code", "status"), FAILURES[:3])
def test_a_failing_service_does_not_take_away_what_was_kept(
    context: ExtractContext, run_step: RunStep, code: str, status: int
) -> None:
    run_step("Has gout. Takes warfarin.", recipients=[{"analysis": "coded"}])
    with refusing(context.client("comprehendmedical", comprehend.CONFIG), "*", code, status):
        found = stored(context, run_step("Has gout. Takes warfarin."))
    assert [f.code for f in found.conditions] == ["M10.9"]
    assert found.not_analysed == (
        Skipped("OBX[1]-5", SkippedReason.SERVICE, f"DetectEntitiesV2 {code}"),
    )


def test_of_a_long_text_only_the_fields_without_an_answer_are_named(
    context: ExtractContext, run_step: RunStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = comprehend._ask

    def second_fails(*arguments: Any) -> Any:
        request = arguments[-1]
        if request.operation == "InferICD10CM" and request.chunk.start:
            raise DependencyUnavailableError("comprehendmedical InferICD10CM: InternalServerError")
        return ask(*arguments)

    monkeypatch.setattr(comprehend, "_ask", second_fails)
    found = stored(
        context, run_step("Has gout. " + FILLER, FILLER.replace("rounds", "ward"), "Has asthma.")
    )
    assert [f.text for f in found.conditions] == ["gout", "asthma"]
    assert [f.code for f in found.conditions] == ["M10.9", ""]
    assert {gap.position for gap in found.not_analysed} == {"OBX[2]-5", "OBX[3]-5"}
    assert {gap.reason for gap in found.not_analysed} == {"service"}


def test_when_time_runs_out_the_beginning_is_told_and_the_end_is_named(
    context: ExtractContext, run_step: RunStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each operation's second request is a minute later: the run has no minute, and does not wait.
    monkeypatch.setenv("ENS_COMPREHEND_RATE", "0.0166")
    begun = time.monotonic()
    found = stored(
        context, run_step("Has gout. " + FILLER, FILLER.replace("rounds", "ward"), "Has asthma.")
    )
    assert time.monotonic() - begun < comprehend.ANSWER_SECONDS
    assert [(f.text, f.code) for f in found.conditions] == [("gout", "M10.9"), ("asthma", "")]
    late = [gap for gap in found.not_analysed if gap.reason == "time"]
    assert {gap.position for gap in late} == {"OBX[2]-5", "OBX[3]-5"}
    assert {gap.detail for gap in late} == {"InferICD10CM"}


def test_a_run_without_time_leaves_the_notes_to_the_next(
    context: ExtractContext, run_step: RunStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comprehend, "ANSWER_SECONDS", -1)
    with (
        refusing(context.client("comprehendmedical", comprehend.CONFIG), "*", "Unasked") as asked,
        pytest.raises(DependencyUnavailableError, match="no answer came in time"),
    ):
        run_step("Has gout.")
    assert asked == []
