"""Reads the alarms of an environment that are in state ALARM."""

import boto3

from ops.deployment import CONFIG, Deployment


def red(deployment: Deployment) -> set[str]:
    """Returns the names of the environment's alarms in state ALARM. The local system has no alarms."""
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
