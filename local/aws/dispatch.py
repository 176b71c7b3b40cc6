"""Hand the calls of services with a JSON protocol to moto without Flask.

These services have one URL, so that Flask's routing, context and CORS headers do nothing for them and
cost as much as a short call itself. S3, Lambda and SES v2, whose operations are paths, go through Flask.
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from moto import backends
from moto.core.request import Request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from local.aws.clients import ACCOUNT, REGION
from local.aws.requests import service_of
from local.aws.sockets import App, Environ, StartResponse

SERVICES = {
    "dynamodb": "dynamodb",
    "secretsmanager": "secretsmanager",
    "sqs": "sqs",
    "states": "stepfunctions",
}
"""moto's names of the services, by the name that a request is signed for."""


class _WsgiRequest(Request):
    from_wsgi_server = True


def in_front_of(app: App) -> App:
    """`app`, and before it the services that need no routing."""

    def dispatching(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        service = SERVICES.get(service_of(environ))
        if service is None or environ.get("PATH_INFO") != "/" or "HTTP_X_AMZ_TARGET" not in environ:
            return app(environ, start_response)
        return _answer(service, environ)(environ, start_response)

    return dispatching


def _answer(service: str, environ: Environ) -> Response:
    """The answer that moto's Flask app makes (moto/core/utils.py, `convert_to_flask_response`)."""
    request = _WsgiRequest(environ)
    try:
        answer = _handler(service)(request, request.raw_url, dict(request.headers))
    except HTTPException as error:
        return Response.force_type(error.get_response(environ), environ)
    status, headers, body = answer if len(answer) == 3 else (200, {}, answer)
    return Response(body, status, headers)


@cache
def _handler(service: str) -> Any:
    """The function that answers the root path of a service."""
    backend = backends.get_backend(service)[ACCOUNT][REGION]  # type: ignore[call-overload]
    found = (handler for path, handler in backend.url_paths.items() if re.fullmatch(path, "/"))
    return next(found)
