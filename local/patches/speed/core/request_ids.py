"""Make the id of an answer from random bytes. moto draws each letter of it: a tenth of a short call."""

import os
from typing import Any

from moto.core import responses

from local.patches.patching import replace


def install() -> None:
    """Changes the request ids of this process's moto; calling it again changes nothing."""
    replace(responses, "gen_amzn_requestid_long", _added)


def request_id() -> str:
    """52 characters, as many as those of DynamoDB, SQS and KMS have."""
    return os.urandom(26).hex().upper()


def _added(headers: dict[str, Any] | None = None) -> str:
    """A new id, which is put into the headers too."""
    new = request_id()
    if headers is not None:
        headers["x-amzn-requestid"] = new
    return new
