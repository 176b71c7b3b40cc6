"""Plans and resources for the tests of the checks."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from environments import Environment, load
from ops.environment.preflight.assembly import Assembly, Resource
from ops.environment.preflight.check_input import Plan
from ops.environment.preflight.finding import PreflightFinding, Status

ACCOUNT = "111122223333"


def environment(name: str = "prod", **values: Any) -> Environment:
    """An environment with other values than its file's; `mail__rate` reaches into a table of it."""
    made = load(name)
    changed: dict[str, Any] = {}
    tables: dict[str, dict[str, Any]] = {}
    for key, value in values.items():
        table, _, inner = key.partition("__")
        if inner:
            tables.setdefault(table, {})[inner] = value
        else:
            changed[key] = value
    for table, inside in tables.items():
        changed[table] = replace(getattr(made, table), **inside)
    return replace(made, **changed)


def plan(*resources: Resource, name: str = "prod", **values: Any) -> Plan:
    """A plan whose assembly holds these resources."""
    stacks = tuple(f"hl7-ens-{name}-{stack}" for stack in ("network", "core", "ingress"))
    assembly = Assembly(stacks, resources, bootstrap_version=6)
    return Plan(environment(name, **values), assembly, ACCOUNT)


def resource(resource_type: str, /, **properties: Any) -> Resource:
    """A resource of the core stack."""
    return Resource(
        "hl7-ens-prod-core", resource_type.rpartition(":")[2], resource_type, properties
    )


def statuses(findings: Iterator[PreflightFinding]) -> list[Status]:
    """The statuses of findings in order."""
    return [finding.status for finding in findings]


def only_error(findings: Iterator[PreflightFinding]) -> PreflightFinding:
    """The one error among findings."""
    (found,) = (finding for finding in findings if finding.status is Status.ERROR)
    return found
