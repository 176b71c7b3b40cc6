"""Runs the checks in order. A check whose AWS calls fail is reported as not checked."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from ops.deployment import CONFIG
from ops.environment.preflight.checks import (
    account,
    alarms,
    bootstrap,
    certificates,
    concurrency,
    configuration_set,
    image,
    limits,
    mail_account,
    mail_identity,
    names,
    placeholders,
    prefix_lists,
    quotas,
    secrets,
    service_roles,
    stacks,
    zones,
)
from ops.environment.preflight.finding import PreflightFinding, Status, not_checked
from ops.environment.preflight.plan import ClientFactory, Plan
from ops.problem import sentence

OFFLINE = {
    "placeholders": placeholders.check,
    "limits": limits.check,
    "image": image.check,
}
ACCOUNT = "account"
ONLINE = {
    "bootstrap": bootstrap.check,
    "stacks": stacks.check,
    "names": names.check,
    "service roles": service_roles.check,
    "concurrency": concurrency.check,
    "quotas": quotas.check,
    "zones": zones.check,
    "prefix lists": prefix_lists.check,
    "certificates": certificates.check,
    "secrets": secrets.check,
    "mail account": mail_account.check,
    "mail identity": mail_identity.check,
    "configuration set": configuration_set.check,
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
        identity = account.identity(clients)
    except (ClientError, BotoCoreError) as problem:
        yield ACCOUNT, not_checked(f"no AWS service was called: {sentence(problem)}")
        return
    plan = replace(plan, account=identity.account)
    found = list(account.check(plan, identity))
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
