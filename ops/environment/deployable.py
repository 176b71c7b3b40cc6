"""The environment that a script of a deployment acts on."""

from collections.abc import Sequence

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
