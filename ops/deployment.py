"""Finds a deployment by the name of its environment: reads the outputs of its stacks."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import boto3
import msgspec
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from environments import EnvironmentFileError, load
from lambdas.common.audit.context import AuditContext, AuditSettings
from lambdas.common.function.settings import Settings, StoredDays
from lambdas.delivery.ledger.context import LedgerContext, LedgerSettings
from lambdas.encounters.context import EncountersContext, EncountersSettings
from ops import aws_calls
from ops.problem import DENIED_CODES, DeniedError, ProblemError
from ops.settings import MLLP_PORT, local_endpoint, local_mllp_port, use_local_system

S = TypeVar("S", bound=Settings)

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
        table = self.output("LedgerTable")
        return LedgerContext(self._settings(LedgerSettings, ledger_table=table))

    @cached_property
    def audit(self) -> AuditContext:
        """The context with which the audit trail and its digests are verified; errors as `context`."""
        bucket = self.output("AuditDigestBucket")
        settings = self._settings(AuditSettings, digest_bucket=bucket)
        return AuditContext(settings, self.context.clients)

    @cached_property
    def encounters(self) -> EncountersContext:
        """The context with which stays are read; errors as `context`."""
        table = self.output("EncountersTable")
        settings = self._settings(EncountersSettings, encounters_table=table)
        return EncountersContext(settings, self.context.clients)

    def _settings(self, kind: type[S], **own: str) -> S:
        """Settings as a function's environment variables give them; `own` are those of this kind alone."""
        days = self.outputs.get("StoredDays", "{}")
        return kind(
            environment=self.environment,
            vault_bucket=self.output("VaultBucket"),
            audit_table=self.output("AuditTable"),
            status_table=self.output("StatusTable"),
            reference_key_secret=self.output("ReferenceKeySecret"),
            audit_key_secret=self.output("AuditKeySecret"),
            audit_seal_key=self.output("AuditSealKeys").partition(",")[0],
            audit_seal_keys=self.output("AuditSealKeys"),
            stored_days=msgspec.json.decode(days, type=StoredDays),
            **own,
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
        found = aws_calls.stack(cloudformation, stack)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in DENIED_CODES and error.operation_name == "DescribeStacks":
            raise DeniedError(_not_visible(stack, cloudformation.meta.region_name, code)) from None
        raise
    if found is None:
        return None
    return {o["OutputKey"]: o["OutputValue"] for o in found.get("Outputs", [])}


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
