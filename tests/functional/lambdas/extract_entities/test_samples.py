"""The notes of sample messages, read by ParseMessage's own reader, through the stand-in."""

from pathlib import Path

import pytest

from lambdas.common.contracts.document import read_as
from lambdas.common.contracts.findings import ClinicalFindings
from lambdas.extract_entities.context import ExtractContext
from lambdas.parse_message.read_event import read_event
from tests.functional.lambdas.extract_entities.conftest import EVENT_ID, RunStep
from tests.support.vault import read_json

ROOT = Path(__file__).resolve().parents[4]
BLOG = ROOT.parent / "shared" / "samples" / "aws-blog.hl7"


def findings(context: ExtractContext, run_step: RunStep, file: Path) -> ClinicalFindings:
    notes = read_event(file.read_bytes(), EVENT_ID).notes
    result = run_step(*(note.text for note in notes))
    return read_as(
        ClinicalFindings, read_json(context, EVENT_ID, "clinical.json", result["version_id"])
    )


def test_the_sample_admission_leaves_out_what_is_denied_and_the_mothers(
    context: ExtractContext,
    run_step: RunStep,
) -> None:
    found = findings(context, run_step, ROOT / "samples" / "admission.hl7")
    assert found.conditions
    assert found.medications
    assert {"negated", "family"} <= set(found.set_aside)
    assert all(condition.code and condition.description for condition in found.conditions)


@pytest.mark.skipif(not BLOG.exists(), reason="the AWS blog's sample is not beside this checkout")
def test_the_aws_blogs_note_gives_its_conditions_codes_and_medication(
    context: ExtractContext, run_step: RunStep
) -> None:
    found = findings(context, run_step, BLOG)
    assert {condition.text: condition.code for condition in found.conditions} == {
        "PE": "I26.99",
        "pain": "R52",
        "agitation": "R45.1",
        "bipolar disorder": "F31.9",
        "chronic fatigue syndrome": "G93.32",
        "diabetes": "E11.9",
        "a-fib": "I48.91",
    }
    assert [(drug.text, drug.detail) for drug in found.medications] == [("propanolol", "10Mg")]
    assert not found.set_aside
