"""Notes of a protected stay: neither sent to Comprehend Medical nor kept in the cache."""

from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.model import OperationModel

from lambdas.common.audit import chain
from lambdas.common.contracts.encounters.encounter import Decision, EncounterNumbers
from lambdas.common.contracts.encounters.protection import (
    Basis,
    ProtectionFlag,
    SensitiveMark,
    StayMarks,
)
from lambdas.common.contracts.recipients.consent import Sensitivity
from lambdas.extract_entities.comprehend_medical.comprehend import CONFIG
from lambdas.extract_entities.context import ExtractContext
from tests.functional.lambdas.extract_entities.conftest import EVENT_ID, RunStep
from tests.support.stores import VAULT

NOTE = "Opioid dependence, takes methadone 60 mg daily."
SENSITIVE = SensitiveMark(category=Sensitivity.SUBSTANCE_USE, basis=Basis.UNIT)
DECISION = Decision(event_id=EVENT_ID, trigger_event="A01", decided_at="")


@pytest.fixture
def calls(context: ExtractContext) -> list[str]:
    """The operations that the step's client of Comprehend Medical was asked for."""
    found: list[str] = []

    def count(model: OperationModel, **_: Any) -> None:
        found.append(model.name)

    context.client("comprehendmedical", CONFIG).meta.events.register("before-call", count)
    return found


def cached_answers() -> int:
    """The number of cached answers in the vault (docs/adr/0052-cache-of-analyses.md)."""
    found = boto3.client("s3").list_objects_v2(Bucket=VAULT, Prefix="analyses/")
    return int(found["KeyCount"])


@pytest.mark.parametrize(
    "facts",
    [
        {"decision": replace(DECISION, marks=StayMarks(flags=(ProtectionFlag.PV1_16,)))},
        {"decision": replace(DECISION, marks=StayMarks(sensitive=(SENSITIVE,)))},
        {"numbers": EncounterNumbers(protections=(ProtectionFlag.DG1_18,))},
        {"numbers": EncounterNumbers(sensitive=(SENSITIVE,))},
    ],
)
def test_notes_of_a_protected_stay_leave_the_vault_for_nobody(
    run_step: RunStep, context: ExtractContext, calls: list[str], facts: dict[str, Any]
) -> None:
    result = run_step(NOTE, **facts)
    assert (result["outcome"], result["conditions"], calls) == ("protected", 0, [])
    assert cached_answers() == 0
    (entry,) = chain.entries(context, EVENT_ID)
    assert (entry["result"], entry["cost_mode"]) == ("protected", "off")


def test_notes_of_an_ordinary_stay_are_analysed(run_step: RunStep, calls: list[str]) -> None:
    assert run_step(NOTE, decision=DECISION)["outcome"] == "extracted"
    assert "DetectEntitiesV2" in calls
    assert cached_answers() > 0
