"""Accepting a finding of the rule packs (cdk-nag) with a reason, beside the code that it concerns."""

from collections.abc import Mapping

import aws_cdk as cdk
from constructs import IConstruct

INLINE = (
    "The policy belongs to this one role and is made and deleted with it; a managed policy could be"
    " attached to others."
)


def accept(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """Accepts findings, by their rules' names, on a construct and what lies in it."""
    cdk.Validations.of(construct).acknowledge(
        *(cdk.Acknowledgment(id=_full(rule), reason=reason) for rule, reason in reasons.items())
    )


def _full(rule: str) -> str:
    """The id with its pack, which is what a pack's rules begin with: `HIPAA.Security-LambdaDLQ`."""
    return (
        rule
        if "::" in rule.split("[", maxsplit=1)[0]
        else f"{rule.split('-', maxsplit=1)[0]}::{rule}"
    )
