"""The environment that a script of a deployment acts on."""

from collections.abc import Sequence

import boto3

from environments import Environment, load, names
from ops.problem import ProblemError


def deployable(arguments: Sequence[str]) -> Environment:
    """Returns the environment that the first argument names.

    Raises `ProblemError` for an unknown name, and for one that is not deployed to an account (`local`).
    """
    name = arguments[0] if arguments else ""
    environment = load(name) if name in names() else None
    if environment is None or environment.network is None:
        cloud = ", ".join(known for known in names() if load(known).network)
        raise ProblemError(f"{name!r} is not a deployable environment: choose one of {cloud}.")
    return environment


def keeps_data(environment: Environment) -> bool:
    """Whether `make destroy` refuses the environment.

    Nobody deletes what S3 locks in mode compliance, so that half of such an environment would be left.
    """
    locked = environment.audit.digest_lock == "compliance"
    return environment.retain or environment.deletion_protection or locked


def own_account(environment: Environment) -> str:
    """Returns the id of the account of the credentials (STS GetCallerIdentity, which needs no permission).

    Raises `ProblemError` when the environment's file names another one: it may have an environment of the
    same name.
    """
    sts = boto3.client("sts", region_name=environment.region)
    found: str = sts.get_caller_identity()["Account"]
    if environment.account not in ("", found):
        raise ProblemError(
            f"The credentials belong to account {found}, and {environment.name} to"
            f" {environment.account}: nothing was done. Set AWS_PROFILE to a profile of that account."
        )
    return found
