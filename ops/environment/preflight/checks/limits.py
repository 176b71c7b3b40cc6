"""Whether policies, variables and rules that grow with the settings fit AWS's limits. Asks AWS nothing.

IAM user guide, "IAM and AWS STS quotas"; AWS Lambda developer guide, "Lambda quotas"; Amazon VPC user
guide, "Amazon VPC quotas"; AWS Site-to-Site VPN user guide, "Site-to-Site VPN quotas". CloudFormation
finds a value above a limit at deployment only.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ops.environment.preflight.assembly import Resource
from ops.environment.preflight.check_input import Plan
from ops.environment.preflight.finding import PreflightFinding, error, ok

REFERENCE = "r" * 110
"""Stands for a name or ARN that is known at deployment only; few are longer."""


@dataclass(frozen=True, slots=True)
class Limit:
    """AWS's limit of a kind of thing, and the setting that makes it grow."""

    what: str
    most: int
    key: str


TRUST = Limit("characters of the trust policy", 2048, "people")
INLINE = Limit("characters of a role's inline policies", 10_240, "mail.sandbox_recipients")
# CDK moves statements that do not fit inline to a managed policy, and cannot divide a single one.
MANAGED = Limit("characters of a managed policy", 6144, "mail.sandbox_recipients")
VARIABLES = Limit("bytes of a function's environment variables", 4096, "mpi.settings")
INBOUND = Limit("inbound rules of a security group", 60, "network.sender_networks")
OUTBOUND = Limit("outbound rules of a security group", 60, "mpi.networks")
VPNS = Limit("VPN connections of a virtual private gateway", 10, "network.customer_gateways")


def check(plan: Plan) -> Iterator[PreflightFinding]:
    """An error for each resource above a limit, with the key of the environment's file to shorten."""
    above = [found for found in _measured(plan) if found[2] > found[0].most]
    for limit, resource, size in above:
        yield error(
            f"{size} {limit.what}; AWS allows {limit.most}",
            f"{plan.file}: {limit.key} ({resource})",
            f"shorten {limit.key}",
        )
    if not above:
        yield ok("policies, variables and rules fit AWS's limits", plan.file)


def _measured(plan: Plan) -> Iterator[tuple[Limit, str, int]]:
    """Each limit with the logical id of what it bounds, and the size of that."""
    policies: Counter[str] = Counter()
    for policy in plan.assembly.of_type("AWS::IAM::Policy"):
        for role in policy.properties["Roles"]:
            policies[_role(role)] += _characters(policy.properties["PolicyDocument"])
    for role in plan.assembly.of_type("AWS::IAM::Role"):
        for inline in role.properties.get("Policies", []):
            policies[role.logical_id] += _characters(inline["PolicyDocument"])
        trust = role.properties["AssumeRolePolicyDocument"]
        yield TRUST, role.logical_id, _characters(trust)
    for managed in plan.assembly.of_type("AWS::IAM::ManagedPolicy"):
        document = managed.properties["PolicyDocument"]
        yield MANAGED, managed.logical_id, _characters(document)
    for name, size in policies.items():
        yield INLINE, name, size
    for function in plan.assembly.of_type("AWS::Lambda::Function"):
        yield VARIABLES, function.logical_id, _bytes_of_variables(function)
    for limit, name in ((INBOUND, "SecurityGroupIngress"), (OUTBOUND, "SecurityGroupEgress")):
        # A rule that names another group is a resource of its own.
        others = Counter(
            json.dumps(rule.properties["GroupId"])
            for rule in plan.assembly.of_type(f"AWS::EC2::{name}")
        )
        for group in plan.assembly.of_type("AWS::EC2::SecurityGroup"):
            reference = json.dumps({"Fn::GetAtt": [group.logical_id, "GroupId"]})
            own = group.properties.get(name, [])
            yield limit, group.logical_id, len(own) + others[reference]
    yield VPNS, "all", sum(1 for _ in plan.assembly.of_type("AWS::EC2::VPNConnection"))


def _role(reference: Any) -> str:
    """The role that a policy names, so that the policies of one role are counted together."""
    if isinstance(reference, dict) and "Ref" in reference:
        return str(reference["Ref"])
    return json.dumps(reference)


def _characters(document: Any) -> int:
    """The length of a policy without white space, as IAM counts it."""
    return len("".join(json.dumps(_told(document), separators=(",", ":")).split()))


def _bytes_of_variables(function: Resource) -> int:
    variables = function.properties.get("Environment", {}).get("Variables", {})
    return sum(len(name) + len(str(_told(value)).encode()) for name, value in variables.items())


def _told(value: Any) -> Any:
    """The value with a text in place of what is known at deployment only."""
    match value:
        case {"Fn::Join": [str() as separator, list() as parts]}:
            return separator.join(str(_told(part)) for part in parts)
        case {"Ref": str() as name} if name.startswith("AWS::"):
            return "1" * 12
        case {"Ref": _} | {"Fn::GetAtt": _} | {"Fn::ImportValue": _} | {"Fn::Sub": _}:
            return REFERENCE
        case dict():
            return {key: _told(one) for key, one in value.items()}
        case list():
            return [_told(one) for one in value]
        case _:
            return value
