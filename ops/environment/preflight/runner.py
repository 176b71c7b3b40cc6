"""Runs the checks in order. A check whose AWS calls fail is reported as not checked."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from ops.deployment import CONFIG
from ops.environment.preflight.check_input import ClientFactory, Plan
from ops.environment.preflight.checks import (
    account,
    alarms,
    credentials,
    image,
    limits,
    mail,
    names,
    network,
    placeholders,
    quotas,
    regions,
    stacks,
)
from ops.environment.preflight.finding import PreflightFinding, Status, not_checked
from ops.problem import sentence

OFFLINE = {
    "placeholders": placeholders.check,
    "limits": limits.check,
    "region": regions.check,
    "image": image.check,
}
ACCOUNT = "account"
ONLINE = {
    "bootstrap": stacks.check_bootstrap,
    "stacks": stacks.check_stacks,
    "names": names.check,
    "service roles": stacks.check_service_roles,
    "concurrency": quotas.check_concurrency,
    "quotas": quotas.check_fargate,
    "zones": network.check_zones,
    "prefix lists": network.check_prefix_lists,
    "certificates": credentials.check_certificate,
    "secrets": credentials.check_secrets,
    "mail account": mail.check_account,
    "mail identity": mail.check_identity,
    "configuration set": mail.check_configuration_set,
    "alarms": alarms.check,
}


@dataclass(slots=True)
class AwsClients:
    """boto3 clients of the signed-in account, in one region."""

    region: str
    _made: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """The client of a service, made at its first use."""
        if service not in self._made:
            self._made[service] = boto3.client(service, region_name=self.region, config=CONFIG)
        return self._made[service]


def run(plan: Plan, clients: ClientFactory) -> Iterator[tuple[str, PreflightFinding]]:
    """Yields every finding with its check's name. Calls AWS only in the environment's account."""
    for name, offline in OFFLINE.items():
        for finding in offline(plan):
            yield name, finding
    try:
        # STS GetCallerIdentity needs no permission.
        identity = clients.client("sts").get_caller_identity()
    except (ClientError, BotoCoreError) as problem:
        yield ACCOUNT, not_checked(f"no AWS service was called: {sentence(problem)}")
        return
    plan = replace(plan, account=identity["Account"])
    found = list(account.check(plan, identity["Arn"]))
    for finding in found:
        yield ACCOUNT, finding
    if any(finding.status is Status.ERROR for finding in found):
        yield ACCOUNT, not_checked("all other checks, because the account is another one")
        return
    for name, check in ONLINE.items():
        try:
            for finding in check(plan, clients):
                yield name, finding
        except (ClientError, BotoCoreError) as problem:
            yield name, not_checked(sentence(problem))
