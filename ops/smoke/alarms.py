"""The alarms of an environment that are red."""

import boto3

from ops.deployment import CONFIG, Deployment


def red(deployment: Deployment) -> set[str]:
    """The names of the environment's alarms in state ALARM; none on the local system, which has none."""
    if deployment.is_local:
        return set()
    pages = boto3.client("cloudwatch", config=CONFIG).get_paginator("describe_alarms")
    return {
        alarm["AlarmName"]
        for page in pages.paginate(
            AlarmNamePrefix=f"hl7-ens-{deployment.environment}-", StateValue="ALARM"
        )
        for alarm in page["MetricAlarms"]
    }
