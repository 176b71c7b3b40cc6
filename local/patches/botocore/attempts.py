"""Make the first attempt of a request to the loopback address without botocore's objects around it.

For each attempt botocore makes two objects, calls the handlers of seven events and computes a signature.
The local AWS reads the credential's scope and the session token, and verifies no signature. botocore makes
every further attempt itself: it gets the first one's failure as if it had made that attempt too.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import botocore
from botocore.client import BaseClient

from local.patches.botocore import transport
from local.patches.patching import replace

_make_request = BaseClient._make_request


def install() -> None:
    """Changes the requests of this process's botocore; calling it again changes nothing."""
    replace(BaseClient, "_make_request", _attempted)


@dataclass(slots=True)
class _Request:
    """A request as botocore's `Endpoint` and `transport` read it."""

    method: str
    url: str
    headers: Mapping[str, Any]
    body: Any


def _attempted(
    client: Any, operation_model: Any, request_dict: dict[str, Any], request_context: Any
) -> Any:
    """The HTTP answer and what botocore reads from it. Raises botocore's exceptions."""
    headers = _signing_headers(client, request_dict)
    body = request_dict["body"]
    if headers is None or not transport.is_short(request_dict["url"], body):
        return _make_request(client, operation_model, request_dict, request_context)
    request = _Request(
        request_dict["method"],
        request_dict["url"],
        {**request_dict["headers"], **headers},
        body,
    )
    answer, failure = client._endpoint._do_get_response(
        request, operation_model, request_dict["context"]
    )
    if answer is not None:
        http, document = answer
        metadata = document["ResponseMetadata"]
        # S3 may answer 200 with an error in the body, which botocore's parser reads as 500.
        if metadata["HTTPStatusCode"] < 300:
            metadata["RetryAttempts"] = 0
            return http, document
    with transport.outcome(failure or http):
        return _make_request(client, operation_model, request_dict, request_context)


def _signing_headers(client: Any, request_dict: dict[str, Any]) -> dict[str, str] | None:
    """The headers that name the caller; None for a request without credentials."""
    signer, context = client._request_signer, request_dict["context"]
    signing = context.get("signing", {})
    if signer._credentials is None or context["auth_type"] in ("none", botocore.UNSIGNED):
        return None
    credentials = signer._credentials.get_frozen_credentials()
    region = signing.get("region", signer.region_name)
    service = signing.get("signing_name", signer.signing_name)
    day = time.strftime("%Y%m%d", time.gmtime())
    scope = f"{credentials.access_key}/{day}/{region}/{service}/aws4_request"
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature="
    }
    if credentials.token:
        headers["X-Amz-Security-Token"] = credentials.token
    return headers
