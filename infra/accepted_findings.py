"""Accepting a finding of a rule pack or linter with a reason, beside the code that it concerns.

cdk-nag reads acknowledgements. checkov and cfn-lint read the template: `Metadata` of the resource
(checkov.io, "Suppressing and Skipping Policies"; cfn-lint's README, "Resource Based Metadata").
"""

import re
from collections.abc import Mapping
from typing import Any, cast

import aws_cdk as cdk
from constructs import IConstruct

INLINE = (
    "The policy belongs to this one role and is made and deleted with it; a managed policy could be"
    " attached to others."
)
DEPENDS_ON_ROLE = (
    "CDK writes DependsOn for a role and its policy together; the one for the role is redundant and"
    " changes nothing."
)

CHECKOV = re.compile(r"CKV2?_AWS_\d+")
CFN_LINT = re.compile(r"[EWI]\d{4}")


def accept(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """Accepts findings by their rules' names, each with its reason.

    A rule of cdk-nag is accepted on the construct and all constructs in it. A rule of checkov
    (`CKV_AWS_116`) or cfn-lint (`W3005`) is accepted on the construct's own resource alone.
    """
    skipped = {rule: reason for rule, reason in reasons.items() if CHECKOV.fullmatch(rule)}
    ignored = {rule: reason for rule, reason in reasons.items() if CFN_LINT.fullmatch(rule)}
    packs = {r: reason for r, reason in reasons.items() if r not in skipped and r not in ignored}
    if packs:
        cdk.Validations.of(construct).acknowledge(
            *(cdk.Acknowledgment(id=_full(rule), reason=reason) for rule, reason in packs.items())
        )
    if skipped:
        entries = [{"id": rule, "comment": reason} for rule, reason in skipped.items()]
        _note(construct, "checkov", {"skip": entries})
    if ignored:
        # cfn-lint knows no reason: it stands beside.
        _note(construct, "cfn-lint", {"config": {"ignore_checks": list(ignored)}})
        _note(construct, "cfn-lint-reasons", ignored)


def accept_in_stack(stack: cdk.Stack, reasons: Mapping[str, str]) -> None:
    """Accepts findings of cfn-lint about a stack's outputs, which have no metadata of their own."""
    stack.add_metadata("cfn-lint", {"config": {"ignore_checks": list(reasons)}})
    stack.add_metadata("cfn-lint-reasons", dict(reasons))


def _note(construct: IConstruct, key: str, value: Mapping[str, Any]) -> None:
    """Writes metadata of the construct's own resource; `ValueError` where another note stands already."""
    resource = cast(cdk.CfnResource, construct.node.default_child or construct)
    if resource.get_metadata(key):
        raise ValueError(f"{construct.node.path}: accept all rules of {key} in one call")
    resource.add_metadata(key, value)


def _full(rule: str) -> str:
    """The id with its pack, which is what a pack's rules begin with: `HIPAA.Security-LambdaDLQ`."""
    return (
        rule
        if "::" in rule.split("[", maxsplit=1)[0]
        else f"{rule.split('-', maxsplit=1)[0]}::{rule}"
    )
