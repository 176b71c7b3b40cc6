"""The CDK app: `-c env=<environment>` picks a file of environments/. No AWS call is made at synth."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import aws_cdk as cdk
from aws_cdk import cx_api

from environments import Environment, load
from infra.core.stack import CoreStack
from infra.ingress.receiver_service import STARTING
from infra.ingress.stack import IngressStack
from infra.network.stack import NetworkStack

FIRST_DEPLOYMENT = "first-deployment"
"""The context key that `make deploy` sets for the first deployment of an environment."""

# Set here and not in cdk.json, so that a synth from Python gives what the CLI gives.
CONTEXT: dict[str, Any] = {
    "aws:cdk:enable-asset-metadata": True,
    "aws:cdk:enable-path-metadata": True,
    "@aws-cdk/aws-ec2:restrictDefaultSecurityGroup": False,
    "@aws-cdk/aws-ecs:disableExplicitDeploymentControllerForCircuitBreaker": True,
    "@aws-cdk/aws-iam:minimizePolicies": True,
    "@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy": True,
    # A stack cannot remove an export that another stack still imports.
    "@aws-cdk/core:defaultCrossStackReferences": "strong",
    "@aws-cdk/core:enablePartitionLiterals": True,
    "@aws-cdk/core:validateAgainstDefaultRules": True,
    "@aws-cdk/core:target-partitions": ["aws"],
}


def build(name: str, outdir: str | None = None, *, bundle: bool = True) -> cx_api.CloudAssembly:
    """The cloud assembly of an environment, written to `outdir` (a temporary folder without it).

    With `bundle` False the functions' packages are not built, for tests of the templates.
    Raises `ValueError` for an unknown environment.
    """
    app = new_app(outdir, bundle=bundle)
    add_stacks(app, load(name))
    return app.synth()


def new_app(outdir: str | None = None, *, bundle: bool = True) -> cdk.App:
    """An app without stacks, under the feature flags that this project relies on."""
    context = CONTEXT if bundle else {**CONTEXT, "aws:cdk:bundling-stacks": []}
    return cdk.App(analytics_reporting=False, context=context, outdir=outdir)


def without_protection(environment: Environment) -> Environment:
    """Returns the environment without deletion protection, for its first deployment.

    A load balancer, table or stack under deletion protection cannot be rolled back when its creation
    fails. `make deploy` switches protection on by a second deployment, after the first succeeded.
    """
    return replace(environment, deletion_protection=False)


def add_stacks(app: cdk.App, environment: Environment) -> None:
    """Adds the stacks of an environment: the core alone, or network, core and ingress."""
    prefix, network = environment.prefix, environment.network
    if network is None:
        CoreStack(app, f"{prefix}-core", environment=environment, **_options(environment))
        return
    outer = NetworkStack(
        app,
        f"{prefix}-network",
        environment=environment,
        network=network,
        **_options(environment),
    )
    core = CoreStack(
        app,
        f"{prefix}-core",
        environment=environment,
        vpc=outer.vpc,
        security_group=outer.functions,
        **_options(environment),
    )
    IngressStack(
        app,
        f"{prefix}-ingress",
        environment=environment,
        network=network,
        vpc=outer.vpc,
        core=core,
        **_options(environment),
    )
    outer.open_endpoints(core.calls_from_vpc() | STARTING)
    for gap in environment.placeholders():
        cdk.Annotations.of(core).add_warning_v2(f"hl7-ens:{gap}", gap)


def _options(environment: Environment) -> dict[str, Any]:
    return {
        "env": cdk.Environment(account=environment.account or None, region=environment.region),
        "synthesizer": cdk.DefaultStackSynthesizer(
            # The rule reads a parameter of a bootstrapped account; the local one has none.
            generate_bootstrap_version_rule=environment.network is not None
        ),
        "termination_protection": environment.deletion_protection,
        "tags": {"hl7-ens:environment": environment.name},
    }


def main(arguments: Sequence[str] = ()) -> None:
    """Synthesises the app for the CDK CLI, or the templates of `<environment> <folder>` for preflight.

    A fault of the environment's files ends the program with a sentence for each.
    """
    try:
        if arguments:
            name, folder = arguments
            build(name, folder, bundle=False)
            return
        app = new_app()
        environment = load(app.node.try_get_context("env") or "")
        if app.node.try_get_context(FIRST_DEPLOYMENT):
            environment = without_protection(environment)
    except ValueError as error:
        sys.exit(f"hl7-ens: {error}")
    add_stacks(app, environment)
    app.synth()


if __name__ == "__main__":
    main(sys.argv[1:])
