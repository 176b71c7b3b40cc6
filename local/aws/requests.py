"""A request to the local AWS: the service, the operation and the body, read once."""

import io
import json
import re
from typing import Any
from urllib.parse import parse_qs

from local.aws.sockets import Environ

SIGNED_FOR = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")

# The few operations of services without a target header that this system uses: (method, path).
REST_OPERATIONS = {
    "ses": [
        ("POST", r"/v2/email/outbound-emails$", "SendEmail"),
        ("GET", r"/v2/email/account$", "GetAccount"),
    ],
    "lambda": [("POST", r"/functions/.+/invocations$", "Invoke")],
    "s3": [
        ("PUT", r"^/[^/]+/.+", "PutObject"),
        ("GET", r"^/[^/]+/.+", "GetObject"),
        ("HEAD", r"^/[^/]+/.+", "HeadObject"),
        ("DELETE", r"^/[^/]+/.+", "DeleteObject"),
        ("GET", r"^/[^/]+/?$", "ListObjectsV2"),
        ("HEAD", r"^/[^/]+/?$", "HeadBucket"),
    ],
}


def service_of(environ: Environ) -> str:
    """The service that the request is signed for, like `dynamodb`; "" when it is not signed."""
    found = SIGNED_FOR.search(environ.get("HTTP_AUTHORIZATION", ""))
    return found[1] if found else ""


def operation_of(environ: Environ) -> str:
    """The operation, like `PutItem`; "" when this module does not know the path."""
    target: str = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        return target.rpartition(".")[2]
    path, method = environ.get("PATH_INFO", ""), environ["REQUEST_METHOD"]
    for known_method, pattern, operation in REST_OPERATIONS.get(service_of(environ), []):
        if method == known_method and re.search(pattern, path):
            return operation
    return parse_qs(body_of(environ).decode("latin-1")).get("Action", [""])[0]


def body_of(environ: Environ) -> bytes:
    """The request's body, which can be read again; b"" for one sent in chunks."""
    if not environ.get("CONTENT_LENGTH"):
        return b""
    body: bytes = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def json_of(environ: Environ) -> dict[str, Any]:
    """The request's JSON body; `ValueError` when it is none."""
    document: dict[str, Any] = json.loads(body_of(environ) or b"{}")
    return document
