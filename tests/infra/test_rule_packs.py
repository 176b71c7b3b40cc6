"""The rule packs of cdk-nag hold, or each finding is accepted with a reason beside the code."""

import json
from collections.abc import Iterator
from pathlib import Path

import aws_cdk as cdk
import pytest
from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks

from infra.app import add_stacks, find, new_app


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cloud assembly of prod with the report of both packs."""
    folder = tmp_path_factory.mktemp("packs")
    app = new_app(str(folder), bundle=False)
    add_stacks(app, find("prod"))
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app), HIPAASecurityChecks(app))
    try:
        app.synth()
    except RuntimeError as error:
        if "Validation failed" not in str(error):
            raise
    return folder


def test_no_finding_of_the_rule_packs_is_open(checked: Path) -> None:
    report = json.loads((checked / "validation-report.json").read_text())
    assert {p["pluginName"] for p in report["pluginReports"]} >= {"AwsSolutions", "HIPAA.Security"}
    findings = [
        f"{violation['ruleName']}: {construct['constructPath']}"
        for pack in report["pluginReports"]
        for violation in pack["violations"]
        for construct in violation["violatingConstructs"]
    ]
    assert findings == []


def test_every_accepted_finding_has_a_reason(checked: Path) -> None:
    reasons = list(accepted(checked))
    assert reasons
    assert [reason for reason in reasons if len(reason.split()) < 6] == []


def accepted(folder: Path) -> Iterator[str]:
    """The reasons given on all constructs."""
    for path in folder.glob("*.metadata.json"):
        for entries in json.loads(path.read_text()).values():
            for entry in entries:
                if entry["type"] == "aws:cdk:acknowledged-rules":
                    yield from entry["data"].values()
