"""The environment variables that `ens` reads, and those that it sets for boto3."""

import os

from botocore.utils import is_valid_endpoint_url

from ops.problem import ProblemError

MLLP_PORT = 17000
LOCAL_REGION = "us-east-1"


def check() -> None:
    """Raises `ProblemError` for a variable that names no port or no URL."""
    for name in ("ENS_AWS_PORT", "ENS_MLLP_PORT"):
        port = os.environ.get(name) or "1"
        if not port.isdecimal() or not 0 < int(port) < 65536:
            raise ProblemError(f"{name} is no port: a port is a number from 1 to 65535.")
    for name, url in os.environ.items():
        if name.startswith("AWS_ENDPOINT_URL") and url and not is_valid_endpoint_url(url):
            raise ProblemError(f"{name} is no URL: unset it, or begin it with https://.")


def local_endpoint() -> str:
    """The URL of the local AWS; ENS_AWS_PORT sets its port."""
    return f"http://127.0.0.1:{os.environ.get('ENS_AWS_PORT') or 4566}"


def local_mllp_port() -> int:
    """The address of the local receiver; ENS_MLLP_PORT sets its port."""
    return int(os.environ.get("ENS_MLLP_PORT") or MLLP_PORT)


def terminal_width_is_given() -> bool:
    """Whether COLUMNS says how wide the output is."""
    return "COLUMNS" in os.environ


def use_local_system() -> None:
    """Sends every AWS call of this process to the local system, whatever account is signed in."""
    os.environ.pop("AWS_PROFILE", None)
    os.environ.pop("AWS_SESSION_TOKEN", None)
    os.environ.update(
        AWS_ENDPOINT_URL=local_endpoint(),
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",  # noqa: S106  # the local AWS keeps no secret
        AWS_REGION=LOCAL_REGION,
        AWS_DEFAULT_REGION=LOCAL_REGION,
    )
