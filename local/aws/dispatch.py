"""Hand calls to moto without Flask, whose routing, context and CORS headers cost as much as a short call.

Services with a JSON protocol have one URL. Of the others these paths go straight to moto: objects of S3,
invocations of functions, and sending mail. All else goes through Flask.
"""

import re
from collections.abc import Iterable
from functools import cache
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import quote

from moto import backends
from moto.core.request import Request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from local.aws.clients import ACCOUNT, REGION
from local.aws.requests import operation_of, service_of
from local.aws.sockets import App, Environ, StartResponse

Service = Literal[
    "dynamodb", "kms", "lambda", "s3", "secretsmanager", "sesv2", "sqs", "stepfunctions"
]
"""moto's names of the services whose calls are handed over here."""

SERVICES: dict[str, Service] = {
    "dynamodb": "dynamodb",
    "kms": "kms",
    "secretsmanager": "secretsmanager",
    "sqs": "sqs",
    "states": "stepfunctions",
}
"""moto's names of the services with one URL, by the name that a request is signed for."""

PATHS: dict[str, tuple[Service, str]] = {
    "lambda": ("lambda", "Invoke"),
    "ses": ("sesv2", "SendEmail"),
}
"""moto's name of a service with paths, and the operation that is called often."""

OBJECTS = ("GetObject", "PutObject", "HeadObject", "DeleteObject")


class _WsgiRequest(Request):
    from_wsgi_server = True


def in_front_of(app: App) -> App:
    """`app`, and before it the calls that need no routing."""

    def dispatching(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        handler = _handler_of(environ)
        if handler is None:
            return app(environ, start_response)
        return _answer(handler, environ, start_response)

    return dispatching


def _handler_of(environ: Environ) -> Any:
    """The function of moto that answers the request; None where Flask has to find it."""
    signed_for, path = service_of(environ), environ.get("PATH_INFO", "")
    if signed_for in SERVICES:
        if path == "/" and "HTTP_X_AMZ_TARGET" in environ:
            return _handler(SERVICES[signed_for], path)
    elif signed_for == "s3":
        if operation_of(environ) in OBJECTS:
            return _handler("s3", "/bucket/key")
    elif signed_for in PATHS:
        service, operation = PATHS[signed_for]
        if operation_of(environ) == operation:
            return _handler(service, quote(path))
    return None


def _answer(handler: Any, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """The answer that moto's Flask app makes (moto/core/utils.py, `convert_to_flask_response`)."""
    request = _WsgiRequest(environ)
    try:
        answer = handler(request, None, None)
    except HTTPException as error:
        return Response.force_type(error.get_response(environ), environ)(environ, start_response)
    status, headers, body = answer if len(answer) == 3 else (200, {}, answer)
    start_response(_status(int(status)), [(name, str(value)) for name, value in headers.items()])
    return [body.encode() if isinstance(body, str) else body]


@cache
def _status(number: int) -> str:
    return f"{number} {HTTPStatus(number).phrase.upper()}"


@cache
def _handler(service: Service, path: str) -> Any:
    """The function that answers a path of a service; None where several could."""
    region = "aws" if service == "s3" else REGION
    backend = backends.get_backend(service)[ACCOUNT][region]
    found = [handler for known, handler in backend.url_paths.items() if re.fullmatch(known, path)]
    return found[0] if found and all(each == found[0] for each in found) else None
