"""Finds a deployment by the name of its environment: reads the outputs of its stacks."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import boto3
import msgspec
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from environments import EnvironmentFileError, load
from lambdas.common.audit.context import AuditContext, AuditSettings
from lambdas.common.settings import StoredDays
from lambdas.delivery.ledger.context import LedgerContext
from lambdas.delivery.ledger.settings import LedgerSettings
from ops.problem import DENIED_CODES, DeniedError, ProblemError
from ops.settings import MLLP_PORT, local_endpoint, local_mllp_port, use_local_system

LOCAL = "local"

# Longer timeouts than in a function; an operator still gets an answer within half a minute.
CONFIG = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 2})


@dataclass(frozen=True)
class Deployment:
    """A deployed environment: its region and the outputs of its core stack, by name."""

    environment: str
    region: str
    outputs: dict[str, str] = field(repr=False)

    @property
    def is_local(self) -> bool:
        """Whether this is the local system (`make run`)."""
        return self.environment == LOCAL

    def output(self, name: str) -> str:
        """Returns an output of the core stack. Raises `ProblemError` when the stack lacks it."""
        try:
            return self.outputs[name]
        except KeyError:
            raise ProblemError(
                f"The stack {core_stack(self.environment)} has no output {name}:"
                " deploy this version of hl7-ens first."
            ) from None

    @cached_property
    def context(self) -> LedgerContext:
        """The context with which the shared code of the steps reads and writes this deployment.

        Raises `ProblemError` when the core stack lacks an output.
        """
        return LedgerContext(
            LedgerSettings(
                environment=self.environment,
                vault_bucket=self.output("VaultBucket"),
                audit_table=self.output("AuditTable"),
                status_table=self.output("StatusTable"),
                reference_key_secret=self.output("ReferenceKeySecret"),
                audit_key_secret=self.output("AuditKeySecret"),
                audit_seal_key=self.output("AuditSealKeys").partition(",")[0],
                ledger_table=self.output("LedgerTable"),
                stored_days=msgspec.json.decode(
                    self.outputs.get("StoredDays", "{}"), type=StoredDays
                ),
            )
        )

    @cached_property
    def audit(self) -> AuditContext:
        """The context with which the audit trail and its digests are verified.

        Raises `ProblemError` when the core stack lacks an output.
        """
        shared = self.context.settings
        return AuditContext(
            AuditSettings(
                environment=self.environment,
                vault_bucket=shared.vault_bucket,
                audit_table=shared.audit_table,
                status_table=shared.status_table,
                reference_key_secret=shared.reference_key_secret,
                audit_key_secret=shared.audit_key_secret,
                audit_seal_keys=self.output("AuditSealKeys"),
                digest_bucket=self.output("AuditDigestBucket"),
            ),
            self.context.clients,
        )


def core_stack(environment: str) -> str:
    """Returns the name of an environment's core stack."""
    return f"hl7-ens-{environment}-core"


def ingress_stack(environment: str) -> str:
    """Returns the name of an environment's ingress stack."""
    return f"hl7-ens-{environment}-ingress"


def ingress_outputs(environment: str) -> dict[str, str]:
    """Returns the outputs of an environment's ingress stack by name, {} where it is not deployed."""
    stack = ingress_stack(environment)
    return _outputs(boto3.client("cloudformation", config=CONFIG), stack) or {}


def find(environment: str) -> Deployment:
    """The deployment of an environment.

    Raises `ProblemError` when the local system is not running or the environment is not deployed
    in this account and region; what AWS itself refuses comes as it is.
    """
    if environment == LOCAL:
        use_local_system()
    cloudformation = boto3.client("cloudformation", config=CONFIG)
    try:
        outputs = _outputs(cloudformation, core_stack(environment))
    except (HTTPClientError, ConnectionError):
        if environment != LOCAL:
            raise
        raise ProblemError(
            f"The local system is not running (no answer at {local_endpoint()}):"
            " start it with `make run`."
        ) from None
    region = cloudformation.meta.region_name
    if outputs is None:
        raise ProblemError(_not_deployed(environment, region))
    return Deployment(environment, region, outputs)


def receiver_address(environment: str) -> tuple[str, int]:
    """Returns host and port of an environment's receiver.

    Raises `ProblemError` when its ingress stack is not deployed.
    """
    if environment == LOCAL:
        return "127.0.0.1", local_mllp_port()
    outputs = ingress_outputs(environment)
    if "ReceiverAddress" not in outputs:
        raise ProblemError(
            f"The stack {ingress_stack(environment)} has no output ReceiverAddress:"
            " give the address with --host."
        )
    host, _, port = outputs["ReceiverAddress"].partition(":")
    return host, int(port or MLLP_PORT)


def _outputs(cloudformation: Any, stack: str) -> dict[str, str] | None:
    """A stack's outputs by name; None when there is no such stack.

    Raises `DeniedError` when the credentials may not look for it.
    """
    try:
        answer = cloudformation.describe_stacks(StackName=stack)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in DENIED_CODES and error.operation_name == "DescribeStacks":
            raise DeniedError(_not_visible(stack, cloudformation.meta.region_name, code)) from None
        # CloudFormation answers "ValidationError" for a stack that does not exist.
        if code != "ValidationError":
            raise
        return None
    return {o["OutputKey"]: o["OutputValue"] for o in answer["Stacks"][0].get("Outputs", [])}


def _not_deployed(environment: str, region: str) -> str:
    if environment == LOCAL:
        return "The local system has not deployed its stack yet: wait until `make run` is ready."
    return (
        f"hl7-ens is not deployed as `{environment}` in {region} of this account"
        f" (no stack {core_stack(environment)}){_region_of_file(environment)}:"
        " check --env, AWS_PROFILE and AWS_DEFAULT_REGION."
    )


def _not_visible(stack: str, region: str, code: str) -> str:
    """A role for people may describe the stacks of its own environment in its own region alone."""
    return (
        f"These credentials may not look for the stack {stack} in {region} ({code})"
        f"{_region_of_file(stack.split('-')[2])}: check --env, AWS_PROFILE and AWS_DEFAULT_REGION."
    )


def _region_of_file(environment: str) -> str:
    """The region in the environment's file, in words; "" where this checkout has no such file."""
    try:
        return f"; its file names {load(environment).region}"
    except EnvironmentFileError:
        return ""
