"""Calls of moto without a signature, and the usual ones of DynamoDB and S3 without HTTP: most of a call's time.

botocore validates, serialises and parses as ever, and emits each of its events but those of signing.
moto gets botocore's own signed request where requests are authorised, and one over HTTP where moto alone
can answer and where a test has put moto's own handler back.
"""

import re
from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.endpoint import Endpoint
from botocore.httpchecksum import AwsChunkedWrapper
from botocore.signers import RequestSigner
from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.botocore_stubber import BotocoreStubber, MockRawResponse
from moto.core.models import DEFAULT_ACCOUNT_ID, botocore_stubber
from moto.core.request import Request
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.responses import DynamoHandler
from moto.s3.exceptions import S3ClientError
from moto.s3.responses import S3Response
from werkzeug.exceptions import HTTPException

from local.patches.patching import replace
from local.patches.speed.dynamodb.direct import handler
from local.patches.speed.dynamodb.direct.calls import CALLS
from local.patches.speed.dynamodb.direct.values import UnusualCallError
from local.patches.speed.s3 import objects

DYNAMODB = re.compile(r"https://dynamodb\.([\w-]+)\.amazonaws\.com/")
OBJECT = re.compile(r"https://([\w-]+)\.s3(?:\.us-east-1)?\.amazonaws\.com(/[^?]+)\??(.*)")
AUTHORIZATION = "AWS4-HMAC-SHA256 Credential={}/20260101/{}/{}/aws4_request"
"""moto reads the access key, the region and the service."""

TRAILED = {
    *("content-encoding", "transfer-encoding", "x-amz-trailer", "x-amz-decoded-content-length"),
}
"""Headers that say how a body with its checksum behind it is written."""
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
    caller = signer._credentials.access_key
    authorization = AUTHORIZATION.format(caller, signer.region_name, signer.signing_name)
    request.headers["Authorization"] = authorization
    return None


class UnsignedRequest:
    """A request as the hooks of `before-send` get it; `signed` makes botocore's own of it."""

    stream_output = False

    def __init__(
        self, parameters: dict[str, Any], answer: Callable[[], Any], signed: Callable[[], Any]
    ) -> None:
        self.method, self.url = parameters["method"], parameters["url"]
        self.headers, self.body = parameters["headers"], parameters["body"]
        self.answer, self.signed = answer, signed

    def reset_stream(self) -> None:
        """Does nothing: the body was read whole, and is at its start."""


def _unsigned(endpoint: Endpoint, parameters: dict[str, Any], operation_model: Any = None) -> Any:
    signed = partial(_create_request, endpoint, parameters, operation_model)
    answer = _is_open() and _without_http(operation_model.name, parameters)
    return UnsignedRequest(parameters, answer, signed) if answer else signed()


def _without_http(operation: str, parameters: dict[str, Any]) -> Callable[[], Any] | None:
    """The call that gives moto's status, headers and body; None where it needs the request as HTTP."""
    url, body = parameters["url"], parameters["body"]
    if operation in CALLS and DynamoHandler._dispatch is handler._dispatch:
        if found := DYNAMODB.fullmatch(url):
            tables = dynamodb_backends[DEFAULT_ACCOUNT_ID][found[1]]
            return lambda: handler.answer(operation, body, lambda _: tables)
    elif operation in objects.OPERATIONS.values() and (found := OBJECT.fullmatch(url)):
        headers = {name.lower(): value for name, value in parameters["headers"].items()}
        if isinstance(body, AwsChunkedWrapper) and headers["content-encoding"] == "aws-chunked":
            body = body._raw.read()
            parameters["body"]._raw.seek(0)
            headers = {name: value for name, value in headers.items() if name not in TRAILED}
        own = S3Response.key_response is objects._key_response
        if own and isinstance(body, bytes):
            request = _object_request(parameters["method"], found, headers, body)
            return lambda: objects.ObjectCall(request).answer()
    return None


def _object_request(
    method: str, url: re.Match[str], headers: dict[str, Any], body: bytes
) -> Request:
    """moto's own form of a request for an object."""
    named = {
        f"HTTP_{name.upper().replace('-', '_')}": value
        if isinstance(value, str)
        else value.decode()
        for name, value in headers.items()
    }
    return Request(
        {
            **named,
            "CONTENT_TYPE": named.get("HTTP_CONTENT_TYPE", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_AUTHORIZATION": AUTHORIZATION.format("test", "us-east-1", "s3"),
            "HTTP_HOST": objects.HOST,
            "QUERY_STRING": url[3],
            "RAW_URI": f"/{url[1]}{url[2]}",
            "REQUEST_METHOD": method,
            "wsgi.input": BytesIO(body),
            "wsgi.url_scheme": "https",
        }
    )


def _answered(stubber: BotocoreStubber, event_name: str, request: Any, **named: Any) -> Any:
    if isinstance(request, UnsignedRequest):
        try:
            status, headers, body = request.answer()
            return AWSResponse(request.url, status, headers, MockRawResponse(body))
        except (UnusualCallError, objects.UnusualRequestError, S3ClientError, HTTPException):
            request = request.signed()
    return _stub(stubber, event_name, request, **named)
