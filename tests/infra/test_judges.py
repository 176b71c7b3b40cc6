"""Linters and policy evaluators of other projects have nothing open against the synthesised templates."""

import json
import shutil
from pathlib import Path

import pytest

from environments import load
from tests.infra.assemblies import Stacks, assembly, stacks_of
from tests.infra.judges import linters, tools
from tests.infra.judges.evaluator import ALLOWED, AuthorizationRequest, Document, decide, faults
from tests.infra.judges.linters import LinterReport
from tests.infra.resolved import ACCOUNT, Resolved

ENVIRONMENTS = ("dev", "prod")
STACKS = ("network", "core", "ingress")
FAULTY = "faulty"
STRANGER = "arn:aws:iam::999999999999:user/mallory"

needs_checkov = pytest.mark.skipif(not tools.has_checkov(), reason=tools.MISSING)
needs_evaluator = pytest.mark.skipif(not tools.has_evaluator(), reason=tools.MISSING)

# Resource policies by type, with the property that holds each, and the resource that it protects.
RESOURCE_POLICIES = {
    "AWS::KMS::Key": "KeyPolicy",
    "AWS::S3::BucketPolicy": "PolicyDocument",
    "AWS::SNS::TopicPolicy": "PolicyDocument",
    "AWS::SQS::QueuePolicy": "PolicyDocument",
}
# One action each that reads or writes what the resource holds.
PROBES = {
    "AWS::KMS::Key": "kms:Decrypt",
    "AWS::S3::BucketPolicy": "s3:GetObject",
    "AWS::SNS::TopicPolicy": "sns:Publish",
    "AWS::SQS::QueuePolicy": "sqs:SendMessage",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The templates of all environments judged, in one folder."""
    together = tmp_path_factory.mktemp("judged")
    for name in ENVIRONMENTS:
        for path in linters.templates(assembly(load(name))):
            shutil.copy(path, together)
    return together


@pytest.fixture(scope="module")
def checkov(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> LinterReport:
    """checkov's report on all of them, and on one stack with a fault: starting it takes seconds."""
    judged = tmp_path_factory.mktemp("checkov")
    for path in linters.templates(folder):
        shutil.copy(path, judged)
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"AccessControl": "PublicRead"}}
    document = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Leak": bucket}}
    (judged / f"{FAULTY}.template.json").write_text(json.dumps(document, indent=1))
    return linters.checkov(judged)


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def stacks(request: pytest.FixtureRequest) -> Stacks:
    """The stacks of each environment in turn."""
    return stacks_of(load(request.param))


@pytest.mark.slow
def test_cfn_lint_has_no_open_finding_with_every_rule_on(folder: Path) -> None:
    assert linters.cfn_lint(folder) == []


@pytest.mark.slow
@needs_checkov
def test_checkov_has_no_open_finding(checkov: LinterReport) -> None:
    assert [finding for finding in checkov.open if finding.stack != FAULTY] == []


@needs_checkov
def test_checkov_finds_a_bucket_that_the_public_may_read(checkov: LinterReport) -> None:
    """The run itself is good: a template with a fault does not pass."""
    assert ("CKV_AWS_20", FAULTY, "Leak") in {(f.rule, f.stack, f.resource) for f in checkov.open}


def test_every_acceptance_in_a_template_has_a_reason(folder: Path) -> None:
    accepted = list(linters.accepted_in_templates(folder))
    assert accepted
    assert [finding for finding in accepted if len(finding.text.split()) < 6] == []


@needs_checkov
def test_nothing_is_accepted_that_checkov_did_not_find(folder: Path, checkov: LinterReport) -> None:
    """An acceptance left behind would hide the next finding of its rule."""
    used = {(f.rule, f.stack, f.resource) for f in checkov.accepted}
    given = {
        (f.rule, f.stack, f.resource)
        for f in linters.accepted_in_templates(folder)
        if f.rule.startswith("CKV")
    }
    assert given - used == set()


@needs_evaluator
def test_every_policy_is_written_in_the_grammar_of_its_kind(stacks: Stacks) -> None:
    policies = list(_policies(stacks))
    assert {kind for kind, _ in policies} == {"endpoint", "identity", "resource", "trust"}
    assert [found for found in faults(policies) if found] == []


@needs_evaluator
def test_nobody_outside_the_account_may_use_a_bucket_key_queue_or_topic(stacks: Stacks) -> None:
    """The question of Access Analyzer's external access findings, for everybody and for one account."""
    everything = {"Version": "2012-10-17", "Statement": [_allow_all()]}
    asked = [
        AuthorizationRequest(
            action=PROBES[kind],
            resource=arn,
            identity=[everything] if principal == STRANGER else [],
            resource_policy=document,
            principal=principal,
            context={"aws:SecureTransport": "true"},
        )
        for kind, arn, document in _resource_policies(stacks)
        for principal in ({"type": "Anonymous"}, STRANGER)
    ]
    assert asked
    answers = decide(asked)
    assert [r.resource for r, answer in zip(asked, answers, strict=True) if answer == ALLOWED] == []


@needs_evaluator
def test_no_role_can_be_assumed_from_outside_the_account(stacks: Stacks) -> None:
    everything = {"Version": "2012-10-17", "Statement": [_allow_all()]}
    asked = [
        AuthorizationRequest(
            action="sts:AssumeRole",
            resource=f"arn:aws:iam::{ACCOUNT}:role/{logical_id}",
            identity=[everything],
            resource_policy=role["Properties"]["AssumeRolePolicyDocument"],
            principal=STRANGER,
            context={"aws:MultiFactorAuthPresent": "true"},
        )
        for stack in stacks
        for logical_id, role in Resolved(stacks).template(stack)["Resources"].items()
        if role["Type"] == "AWS::IAM::Role"
    ]
    assert asked
    assert set(decide(asked)) <= {"ImplicitlyDenied", "ExplicitlyDenied"}


def _allow_all() -> Document:
    return {"Effect": "Allow", "Action": "*", "Resource": "*"}


def _policies(stacks: Stacks) -> list[tuple[str, Document]]:
    """Every policy with its kind."""
    found: list[tuple[str, Document]] = []
    for stack in stacks:
        for resource in Resolved(stacks).template(stack)["Resources"].values():
            properties = resource["Properties"]
            match resource["Type"]:
                case "AWS::IAM::Policy":
                    found.append(("identity", properties["PolicyDocument"]))
                case "AWS::IAM::Role":
                    found.append(("trust", properties["AssumeRolePolicyDocument"]))
                    inline = [p["PolicyDocument"] for p in properties.get("Policies", [])]
                    found += [("identity", document) for document in inline]
                case kind if kind in RESOURCE_POLICIES:
                    found.append(("resource", properties[RESOURCE_POLICIES[kind]]))
                case "AWS::EC2::VPCEndpoint" if "PolicyDocument" in properties:
                    found.append(("endpoint", properties["PolicyDocument"]))
    return found


def _resource_policies(stacks: Stacks) -> list[tuple[str, str, Document]]:
    """Every policy of a bucket, key, queue or topic: its type, an ARN that it protects, the policy."""
    found = []
    resolved = Resolved(stacks)
    for stack, template in stacks.items():
        for logical_id, resource in resolved.template(stack)["Resources"].items():
            kind, properties = resource["Type"], resource["Properties"]
            if kind not in RESOURCE_POLICIES:
                continue
            raw = template.resources[logical_id]["Properties"]
            match kind:
                case "AWS::KMS::Key":
                    arn = resolved.arn_of(stack, logical_id)
                case "AWS::S3::BucketPolicy":
                    arn = resolved.arn_of(stack, raw["Bucket"]["Ref"]) + "/events/1/message.hl7"
                case "AWS::SNS::TopicPolicy":
                    arn = properties["Topics"][0]
                case _:
                    arn = resolved.arn_of(stack, raw["Queues"][0]["Ref"])
            found.append((kind, arn, properties[RESOURCE_POLICIES[kind]]))
    return found
