"""The CDK app: `-c env=<environment>` picks one of infra/settings.py. No AWS call is made at synth."""

import sys
from typing import Any

import aws_cdk as cdk
from aws_cdk import cx_api

from infra.core import CoreStack
from infra.settings import ENVIRONMENTS, Environment

# Set here and not in cdk.json, so that a synth from Python gives what the CLI gives.
CONTEXT: dict[str, Any] = {
    "aws:cdk:enable-asset-metadata": True,
    "aws:cdk:enable-path-metadata": True,
    "@aws-cdk/aws-ec2:restrictDefaultSecurityGroup": False,
    "@aws-cdk/aws-ecs:disableExplicitDeploymentControllerForCircuitBreaker": True,
    "@aws-cdk/aws-iam:minimizePolicies": True,
    "@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy": True,
    "@aws-cdk/core:enablePartitionLiterals": True,
    "@aws-cdk/core:target-partitions": ["aws"],
}


def build(name: str, outdir: str | None = None, *, bundle: bool = True) -> cx_api.CloudAssembly:
    """The cloud assembly of an environment, written to `outdir` (a temporary folder without it).

    `bundle` False leaves the functions' packages out: quick, for who wants the templates only.
    Raises `ValueError` for an unknown environment.
    """
    context = CONTEXT if bundle else {**CONTEXT, "aws:cdk:bundling-stacks": []}
    app = cdk.App(analytics_reporting=False, context=context, outdir=outdir)
    add_stacks(app, find(name))
    return app.synth()


def find(name: str) -> Environment:
    """The environment of that name; `ValueError` names those there are."""
    if name not in ENVIRONMENTS:
        known = ", ".join(ENVIRONMENTS)
        raise ValueError(f"there is no environment {name!r}: choose one of {known} (-c env=dev)")
    return ENVIRONMENTS[name]


def add_stacks(app: cdk.App, environment: Environment) -> CoreStack:
    """Adds the stacks of an environment to an app and returns the core."""
    options: dict[str, Any] = {
        "env": cdk.Environment(account=environment.account or None, region=environment.region),
        "synthesizer": cdk.DefaultStackSynthesizer(
            # The check reads a parameter of a bootstrapped account; the local one has none.
            generate_bootstrap_version_rule=environment.target == "lambda"
        ),
        "termination_protection": environment.deletion_protection,
        "tags": {"hl7-ens:environment": environment.name},
    }
    return CoreStack(
        app, f"{environment.prefix}-core", environment=environment, vpc=None, **options
    )


def main() -> None:
    """What the CDK CLI runs."""
    app = cdk.App(analytics_reporting=False, context=CONTEXT)
    try:
        environment = find(app.node.try_get_context("env") or "")
    except ValueError as error:
        sys.exit(f"hl7-ens: {error}")
    add_stacks(app, environment)
    app.synth()


if __name__ == "__main__":
    main()
