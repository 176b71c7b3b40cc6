"""AWS's answers for the checks: botocore's Stubber holds each to the service model."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
from botocore.stub import Stubber

from environments import Environment, load
from ops.preflight.assembly import Assembly, Resource
from ops.preflight.finding import Finding, Status
from ops.preflight.plan import Plan

ACCOUNT = "111122223333"
REGION = "us-east-1"


@dataclass
class Answers:
    """Clients whose answers a test sets, in the order of the calls; no call goes anywhere."""

    _clients: dict[str, Any] = field(default_factory=dict)
    _stubs: dict[str, Stubber] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """The stubbed client; a call without a prepared answer fails."""
        if service not in self._clients:
            client = boto3.client(
                service, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test"
            )
            self._clients[service] = client
            self._stubs[service] = Stubber(client)
            self._stubs[service].activate()
        return self._clients[service]

    def give(
        self,
        service: str,
        operation: str,
        answer: dict[str, Any],
        asked: dict[str, Any] | None = None,
    ) -> "Answers":
        """Prepares an answer; with `asked`, the call must have these parameters."""
        self.client(service)
        self._stubs[service].add_response(operation, answer, asked)
        return self

    def refuse(self, service: str, operation: str, code: str) -> "Answers":
        """Prepares an error."""
        self.client(service)
        self._stubs[service].add_client_error(operation, code)
        return self


def environment(name: str = "prod", **values: Any) -> Environment:
    """An environment with other values than its file's; `mail__rate` reaches into a table of it."""
    made = load(name)
    for key, value in values.items():
        table, _, inner = key.partition("__")
        made = replace(
            made,
            **{table: replace(getattr(made, table), **{inner: value}) if inner else value},
        )
    return made


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


def statuses(findings: Iterator[Finding]) -> list[Status]:
    """The statuses of findings in order."""
    return [finding.status for finding in findings]


def only_error(findings: Iterator[Finding]) -> Finding:
    """The one error among findings."""
    (found,) = (finding for finding in findings if finding.status is Status.ERROR)
    return found
