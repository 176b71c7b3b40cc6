"""Log groups: encrypted with the environment's key, deleted with their stack."""

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from environments import Environment
from infra.stateful import fix_logical_id

RETENTION = {
    1: logs.RetentionDays.ONE_DAY,
    30: logs.RetentionDays.ONE_MONTH,
    90: logs.RetentionDays.THREE_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
}
"""CDK's constants for the numbers of days that environments may choose."""


class LogGroup(logs.LogGroup):
    """The log group `name`. Logs hold no patient data. Records for years are in the audit table."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        environment: Environment,
        key: kms.IKey,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            log_group_name=name,
            encryption_key=key,
            retention=RETENTION[environment.retention.logs_days],
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        fix_logical_id(self, f"LogGroup{_words(name, environment)}")


def _words(name: str, environment: Environment) -> str:
    """Returns the part of a log group's name after the environment's prefix, as letters and digits."""
    last = name.rsplit("/", 1)[-1].removeprefix(f"{environment.prefix}-")
    service = "Pipe" if "/pipes/" in name else "States" if "/states/" in name else ""
    return service + "".join(word[0].upper() + word[1:] for word in last.split("-"))
