"""Answer the usual calls of DynamoDB from the JSON of the request, and one call at a time.

moto parses a request by the service's model, parses its expressions, makes an object of each value and
serialises the answer by the model again: 1 to 5 ms. The usual calls take a tenth of that here. moto
checks a condition and writes without a lock, and undoes a failed transaction by putting whole tables
back, so that two calls at once would lose writes: hence the lock.
"""

import threading
from binascii import crc32
from collections.abc import Callable
from typing import Any

import msgspec
from moto.core.request import Request
from moto.core.utils import utcnow
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.responses import DynamoHandler
from moto.utilities.utils import get_partition
from werkzeug.exceptions import HTTPException
from werkzeug.http import http_date

from local.patches.patching import replace
from local.patches.speed.core import request_id
from local.patches.speed.dynamodb.direct import indexes, items
from local.patches.speed.dynamodb.direct.calls import CALLS, RefusedCallError
from local.patches.speed.dynamodb.direct.values import UnusualCallError

Response = tuple[int, dict[str, str], bytes]

TARGET = "DynamoDB_20120810."
JSON = "application/x-amz-json-1.0"

READS = frozenset(
    {"BatchGetItem", "DescribeTable", "GetItem", "ListTables", "Query", "Scan", "TransactGetItems"}
)
"""Calls that change no item."""

_moto: Callable[..., Any] = DynamoHandler._dispatch
_one_at_a_time = threading.RLock()


def install() -> None:
    """Puts this before the DynamoDB of this process's moto; calling it again changes nothing."""
    items.install()
    replace(DynamoHandler, "_dispatch", _dispatch)


def _dispatch(
    handler: DynamoHandler, request: Request, full_url: str | None = None, headers: Any = None
) -> Any:
    with _one_at_a_time:
        try:
            return _answer(handler, request, full_url)
        except (UnusualCallError, HTTPException):
            # A fresh one: what is kept in the handler belongs to one way of answering.
            try:
                return _moto(type(handler)(), request, full_url, headers)
            finally:
                if _operation(request) not in READS:
                    indexes.forget()


def _operation(request: Request) -> str:
    operation: str = request.headers.get("X-Amz-Target", "").removeprefix(TARGET)
    return operation


def _answer(handler: DynamoHandler, request: Request, full_url: str | None) -> Response:
    """The answer. Raises `UnusualCallError`, or moto's own error where access is denied."""

    def backend(asked: dict[str, Any]) -> DynamoDBBackend:
        _identify(handler, request, full_url or "", asked)
        handler._authenticate_and_authorize_normal_action()
        found: DynamoDBBackend = dynamodb_backends[handler.current_account][handler.region]
        return found

    if request.content_encoding:
        raise UnusualCallError
    status, headers, body = answer(_operation(request), request.data, backend)
    if not request.from_wsgi_server:
        headers["date"] = http_date(utcnow())
    return status, headers, body


def answer(
    operation: str, data: bytes, backend: Callable[[dict[str, Any]], DynamoDBBackend]
) -> Response:
    """The answer to the JSON of a request, from the tables that `backend` gives for its parameters.

    Raises `UnusualCallError`, and what `backend` raises.
    """
    call = CALLS.get(operation)
    if call is None:
        raise UnusualCallError
    try:
        asked = msgspec.json.decode(data)
    except msgspec.DecodeError:
        raise UnusualCallError from None
    tables = backend(asked)
    try:
        with _one_at_a_time:
            return _response(200, {"Content-Type": JSON}, call(tables, asked))
    except RefusedCallError as error:
        kind = {"Content-Type": "application/json", "X-Amzn-ErrorType": error.kind}
        document = {"__type": f"com.amazonaws.dynamodb.v20120810#{error.kind}", **error.answer}
        return _response(400, {**kind, "status": "400"}, document)
    except (AttributeError, KeyError, TypeError, ValueError):
        # A member is missing or of another type: moto finds the sentence for it.
        raise UnusualCallError from None


def _identify(handler: DynamoHandler, request: Request, url: str, asked: dict[str, Any]) -> None:
    """Gives the handler what moto's check of the caller reads (moto/core/responses.py, `setup_class`)."""
    handler.headers, handler.querystring, handler.body = request.headers, {}, asked
    handler.method, handler.path = request.method, "/"
    handler.region = handler.get_region_from_url(request, url)
    handler.partition = get_partition(handler.region)
    handler.access_key = handler.get_access_key()
    handler.current_account = handler.get_current_account()


def _response(status: int, headers: dict[str, str], document: dict[str, Any]) -> Response:
    body = msgspec.json.encode(document)
    identity = {"x-amzn-requestid": request_id(), "x-amz-crc32": str(crc32(body))}
    return status, {"server": "amazon.com", **headers, **identity}, body
