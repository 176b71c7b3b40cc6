"""The runbook has a heading for each alarm, no other, and names only what the templates make."""

import re

from infra.monitoring.alarm_topic import ENDS_SILENTLY
from tests.conftest import ROOT
from tests.infra.cloudformation import physical_names
from tests.infra.conftest import Stacks
from tests.infra.template import Template, text

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text("utf-8")
RESTORE = (ROOT / "docs" / "restore.md").read_text("utf-8")
OTHER_SECTIONS = {"error-names", "keys"}


def alarm_names(stacks: Stacks) -> set[str]:
    return {
        alarm["Properties"]["AlarmName"].removeprefix("hl7-ens-prod-")
        for template in stacks.values()
        for alarm in template.of_type("AWS::CloudWatch::Alarm").values()
    }


def test_the_runbook_has_one_heading_for_each_alarm_and_no_other(prod: Stacks) -> None:
    headings = re.findall(r"^### (.+)$", RUNBOOK, re.MULTILINE)
    assert sorted(headings) == sorted(alarm_names(prod))


def test_every_resource_that_the_runbook_names_is_in_a_template(prod: Stacks) -> None:
    named = set(re.findall(r"hl7-ens-<env>[\w./-]*", RUNBOOK))
    assert len(named) >= 4
    made = {
        name.value
        for template in prod.values()
        for name in physical_names(template)
        # An alarm's name is no pipe, queue or rule that somebody looks for.
        if name.resource_type != "AWS::CloudWatch::Alarm"
    } | plans(prod["core"])
    assert {n for n in named if n.replace("<env>", "prod").rstrip(".") not in made} == set()


def test_commands_of_the_runbook_name_resources_of_their_own_kind(prod: Stacks) -> None:
    by_command = {
        "pipes start-pipe --name": "AWS::Pipes::Pipe",
        "--by-backup-vault-name": "AWS::Backup::BackupVault",
    }
    for command, kind in by_command.items():
        names = set(re.findall(re.escape(command) + r" (hl7-ens-<env>[\w-]*)", RUNBOOK))
        assert names, command
        made = {
            n.value
            for template in prod.values()
            for n in physical_names(template)
            if n.resource_type == kind
        }
        assert {name.replace("<env>", "prod") for name in names} <= made


def test_a_restore_stops_and_starts_every_function_that_a_rule_calls(prod: Stacks) -> None:
    """VerifyAudit writes nothing."""
    core = prod["core"].resources
    called = {
        core[target["Arn"]["Fn::GetAtt"][0]]["Properties"]["FunctionName"].rpartition("-")[2]
        for rule in prod["core"].of_type("AWS::Events::Rule").values()
        for target in rule["Properties"]["Targets"]
        if "Fn::GetAtt" in target["Arn"]
    }
    loops = re.findall(r"^for F in (.*); do\n  aws lambda (\w+)-function", RESTORE, re.MULTILINE)
    assert [action for _, action in loops] == ["put", "delete"]
    assert [set(names.split()) for names, _ in loops] == [called - {"VerifyAudit"}] * 2


def plans(core: Template) -> set[str]:
    return {
        plan["Properties"]["BackupPlan"]["BackupPlanName"]
        for plan in core.of_type("AWS::Backup::BackupPlan").values()
    }


def test_an_alarm_tells_its_end_or_says_that_it_does_not(prod: Stacks) -> None:
    told = 0
    for template in prod.values():
        for alarm in template.of_type("AWS::CloudWatch::Alarm").values():
            properties = alarm["Properties"]
            if ENDS_SILENTLY in properties["AlarmDescription"]:
                assert "OKActions" not in properties
                continue
            told += 1
            assert list(map(text, properties["OKActions"])) == list(
                map(text, properties["AlarmActions"])
            )
    assert told > 15
