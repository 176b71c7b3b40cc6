"""The AWS principal that runs `ens`, as the audit names it.

A principal's ARN holds the account, the role and the name of the session, and no secret. AWS's sign-in
gives the name, so that nobody can type another person's.
"""

import boto3
from botocore.exceptions import ConnectionError, HTTPClientError

from ops.deployment import CONFIG
from ops.problem import ProblemError

ACTOR = "operator:"
"""Stands before the ARN in the actor of an audit entry; earlier versions wrote a typed name after it."""


def signed_in() -> str:
    """Returns the ARN of the principal whose credentials are in use, as STS gives it.

    The call needs no permission (AWS STS API Reference, "GetCallerIdentity"). Raises `ProblemError` when
    STS does not answer.
    """
    sts = boto3.client("sts", config=CONFIG)
    try:
        arn: str = sts.get_caller_identity()["Arn"]
    except (HTTPClientError, ConnectionError) as error:
        raise ProblemError(
            f"AWS STS did not answer ({type(error).__name__}), so that the audit could not name you:"
            f" nothing was done. This machine must reach {sts.meta.endpoint_url}."
        ) from None
    return arn


def actor(arn: str) -> str:
    """Returns the actor of an audit entry about an act of this principal."""
    return f"{ACTOR}{arn}"


def name(by: str) -> str:
    """Returns a principal for a reader: `ana (hl7-ens-prod-operator)` for the session of a role.

    A user is shown by its name, another principal and a name of earlier versions as it is (IAM user
    guide, "IAM identifiers").
    """
    kind, *path = by.rpartition(":")[2].split("/") if by.startswith("arn:") else [""]
    match kind, path:
        case "assumed-role", [role, session]:
            return f"{session} ({role})"
        case "user" | "federated-user", [*_, user]:
            return user
        case _:
            return by


def name_of_actor(actor: str) -> str:
    """Returns the principal of an entry's actor for a reader, "" for a function or the workflow."""
    return name(actor.removeprefix(ACTOR)) if actor.startswith(ACTOR) else ""
