"""Calls of moto without a signature, and of its DynamoDB without HTTP: two thirds of the time of a call.

botocore validates, serialises and parses as ever, and emits each of its events but those of signing.
moto gets botocore's own signed request where requests are authorised. Its DynamoDB gets one over HTTP
where moto alone can answer, and where a test has put moto's own handler back.
"""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.endpoint import Endpoint
from botocore.signers import RequestSigner
from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.botocore_stubber import BotocoreStubber, MockRawResponse
from moto.core.models import DEFAULT_ACCOUNT_ID, botocore_stubber
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.responses import DynamoHandler

from local.patches.patching import replace
from local.patches.speed.dynamodb.direct import handler
from local.patches.speed.dynamodb.direct.calls import CALLS
from local.patches.speed.dynamodb.direct.unusual import UnusualCallError

URL = re.compile(r"https://dynamodb\.([\w-]+)\.amazonaws\.com/")
_sign = RequestSigner.handler
_create_request = Endpoint.create_request
_stub = BotocoreStubber.__call__
_authorise = ActionAuthenticatorMixin._authenticate_and_authorize_action


def install() -> None:
    """Changes the botocore and moto of this process; calling it again changes nothing."""
    replace(RequestSigner, "handler", _not_signed)
    replace(Endpoint, "create_request", _unsigned)
    replace(BotocoreStubber, "__call__", _answered)


def _is_open() -> bool:
    """Whether moto answers every request, and authorises none."""
    own = ActionAuthenticatorMixin._authenticate_and_authorize_action is _authorise
    return own and botocore_stubber.enabled


def _not_signed(signer: RequestSigner, operation_name: str, request: Any, **named: Any) -> Any:
    # Of a body with a trailer, the signature says how it is written.
    if "X-Amz-Trailer" in request.headers or signer._credentials is None or not _is_open():
        return _sign(signer, operation_name, request, **named)
    # moto reads the caller and the region there.
    place = f"{signer._credentials.access_key}/20260101/{signer.region_name}/{signer.signing_name}"
    request.headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={place}/aws4_request"
    return None


class UnsignedRequest:
    """A request as the hooks of `before-send` get it; `signed` makes botocore's own of it."""

    stream_output = False

    def __init__(self, parameters: dict[str, Any], region: str, signed: Callable[[], Any]) -> None:
        self.method, self.url = parameters["method"], parameters["url"]
        self.headers, self.body = parameters["headers"], parameters["body"]
        self.region, self.signed = region, signed

    def reset_stream(self) -> None:
        """Does nothing: the body is no stream."""


def _unsigned(endpoint: Endpoint, parameters: dict[str, Any], operation_model: Any = None) -> Any:
    signed = partial(_create_request, endpoint, parameters, operation_model)
    found = URL.fullmatch(parameters["url"])
    if (
        found
        and operation_model.name in CALLS
        and DynamoHandler._dispatch is handler._dispatch
        and _is_open()
    ):
        return UnsignedRequest(parameters, found[1], signed)
    return signed()


def _answered(stubber: BotocoreStubber, event_name: str, request: Any, **named: Any) -> Any:
    if isinstance(request, UnsignedRequest):
        tables = dynamodb_backends[DEFAULT_ACCOUNT_ID][request.region]
        try:
            status, headers, body = handler.answer(
                event_name.rpartition(".")[2], request.body, lambda _: tables
            )
            return AWSResponse(request.url, status, headers, MockRawResponse(body))
        except UnusualCallError:
            request = request.signed()
    return _stub(stubber, event_name, request, **named)
