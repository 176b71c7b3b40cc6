"""The rule packs of cdk-nag hold, or each finding is accepted with a reason beside the code."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks

from environments import load
from infra.app import add_stacks, new_app
from tests.infra.assemblies import made

PACKS = {"AwsSolutions", "HIPAA.Security"}
ENVIRONMENTS = ("dev", "prod")


def checked(name: str) -> Path:
    """The cloud assembly of an environment, with the report of both packs."""
    return made(f"rule packs {name}", partial(check, name))


def check(name: str, folder: Path) -> None:
    """Synthesises an environment's assembly with the packs."""
    app = new_app(str(folder), bundle=False)
    add_stacks(app, load(name))
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app), HIPAASecurityChecks(app))
    try:
        app.synth()
    except RuntimeError as error:
        # An open finding ends the synth; the report, which the tests read, is there by then.
        if "ValidationFailed" not in str(error):
            raise


def reports(folder: Path) -> list[dict[str, Any]]:
    """The findings of each pack, open and accepted."""
    found: list[dict[str, Any]] = json.loads((folder / "validation-report.json").read_text())[
        "pluginReports"
    ]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_no_finding_of_the_rule_packs_is_open(name: str) -> None:
    packs = reports(checked(name))
    assert {pack["pluginName"] for pack in packs} >= PACKS
    assert [
        f"{violation['ruleName']}: {construct['constructPath']}"
        for pack in packs
        for violation in pack["violations"]
        for construct in violation["violatingConstructs"]
    ] == []


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_accepted_finding_has_a_reason(name: str) -> None:
    reasons = [reason for _, _, reason in accepted(checked(name))]
    assert reasons
    assert [reason for reason in reasons if len(reason.split()) < 6] == []


def test_nothing_is_accepted_that_was_not_found() -> None:
    """An acceptance left behind would hide the next finding of its rule."""
    given, used = set(), set()
    for name in ENVIRONMENTS:
        given |= {(general(place, name), rule) for place, rule, _ in accepted(checked(name))}
        used |= {
            (general(finding["acknowledgedAt"], name), finding["acknowledgedId"])
            for pack in reports(checked(name))
            for finding in pack.get("suppressedViolations", [])
        }
    assert given - used == set()


def general(path: str, name: str) -> str:
    return path.lstrip("/").replace(f"hl7-ens-{name}-", "")


def accepted(folder: Path) -> Iterator[tuple[str, str, str]]:
    """The place, rule and reason of every acceptance."""
    for path in folder.glob("*.metadata.json"):
        for place, entries in json.loads(path.read_text()).items():
            for entry in entries:
                if entry["type"] == "aws:cdk:acknowledged-rules":
                    for rule, reason in entry["data"].items():
                        # CDK accepts some findings of other packs in its own constructs.
                        if rule.split("::")[0] in PACKS:
                            yield place, rule, reason
