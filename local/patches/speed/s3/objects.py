"""Give moto's PutObject and GetObject what they read of a request, and leave out the rest.

For each request moto finds out three times whether the host names the bucket, parses the URL four times,
reads forms and uploaded files, looks the object up to authorise strangers, and notes the caller's visit.
"""

import threading
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, unquote

from moto.core.request import Request
from moto.core.utils import extract_region_from_aws_authorization
from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.exceptions import S3ClientError
from moto.s3.responses import S3Response
from moto.utilities.utils import get_partition
from werkzeug.exceptions import HTTPException

from local.aws.clients import REGION
from local.patches.patching import replace

HOST = "127.0.0.1"
"""A host that names no bucket."""

OPERATIONS = {"GET": "GetObject", "PUT": "PutObject"}

PARAMETERS = frozenset({"versionId", "x-id"})
"""Parameters in the query of these operations; others make another operation of it."""

UNUSUAL = frozenset(
    {
        "HTTP_CONTENT_ENCODING",
        "HTTP_RANGE",
        "HTTP_TRANSFER_ENCODING",
        "HTTP_X_AMZ_COPY_SOURCE",
        "HTTP_X_AMZ_DECODED_CONTENT_LENGTH",
        "HTTP_X_AMZ_OBJECT_LOCK_LEGAL_HOLD",
        "HTTP_X_AMZ_OBJECT_LOCK_MODE",
        "HTTP_X_AMZ_OBJECT_LOCK_RETAIN_UNTIL_DATE",
        "HTTP_X_AMZ_TAGGING",
        "HTTP_X_MOTO_ACCOUNT_ID",
    }
)
"""Headers of requests that moto answers as it does. It checks tags after it has stored the object."""

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
"""Types of bodies that moto reads as forms."""

_moto: Callable[..., Any] = S3Response.key_response
_one_put = threading.Lock()


class UnusualRequestError(Exception):
    """Raised for a request that moto answers as it does."""


def install() -> None:
    """Puts this before the objects of this process's S3; calling it again changes nothing."""
    replace(S3Response, "key_response", _key_response)


def _key_response(
    handler: S3Response, request: Request, full_url: str | None = None, headers: Any = None
) -> Any:
    try:
        return ObjectCall(request).answer()
    except (UnusualRequestError, S3ClientError, HTTPException):
        return _moto(handler, request, full_url or request.raw_url, headers)


class _Headers(dict[str, str]):
    """Headers by their names in lower case. Those of werkzeug convert the name at each look-up."""

    def __init__(self, headers: Iterable[tuple[str, str]]) -> None:
        super().__init__((name.lower(), value) for name, value in headers)

    def __contains__(self, name: object) -> bool:
        return super().__contains__(str(name).lower())

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a header; upper and lower case of its name are the same."""
        return super().get(name.lower(), default)


class ObjectCall(S3Response):
    """A call that moto's methods answer. Raises `UnusualRequestError` for another request.

    It has what they and the check of the caller read, which `setup_class` finds for moto
    (moto/core/responses.py and moto/s3/responses.py).
    """

    def __init__(self, request: Request) -> None:
        environ = request.environ
        self.querystring = parse_qs(environ["QUERY_STRING"], keep_blank_values=True)
        if (
            request.method not in OPERATIONS
            or "HTTP_AUTHORIZATION" not in environ
            or not environ.get("HTTP_HOST", "").startswith(HOST)
            or not PARAMETERS.issuperset(self.querystring)
            or not UNUSUAL.isdisjoint(environ)
            or environ.get("CONTENT_TYPE", "").startswith(FORMS)
        ):
            raise UnusualRequestError
        super().__init__()
        self.operation = OPERATIONS[request.method]
        self.headers, self.method = _Headers(request.headers), request.method
        self.uri_match: dict[str, str] = {}
        self.body = self.raw_body = request.data
        _, self.bucket_name, self._key = unquote(request.raw_path).split("/", 2)
        self.region = extract_region_from_aws_authorization(environ["HTTP_AUTHORIZATION"]) or REGION
        self.partition = get_partition(self.region)
        self.access_key = self.get_access_key()
        self.current_account = self.get_current_account()

    def answer(self) -> Any:
        """The answer. Raises `UnusualRequestError`, or moto's own error, before anything is stored."""
        bucket = self.backend.get_bucket(self.bucket_name)
        resource = f"arn:{bucket.partition}:s3:::{bucket.name}/{self._key}"
        if bucket.object_lock_enabled or _is_denied(
            bucket.policy, f"s3:{self.operation}", resource
        ):
            raise UnusualRequestError
        self._authenticate_and_authorize_s3_action(bucket.name, self._key)
        answer = self.put_object() if self.operation == "PutObject" else self.get_object()
        return self._send_response(answer)

    def put_object(self) -> Any:
        """Stores the object. A condition (`If-None-Match`) and the write are one step, as in S3."""
        with _one_put:
            return super().put_object()

    def _get_action(self) -> str:
        return self.operation

    def parse_key_name(self) -> str:
        """The object's key."""
        return self._key


def _is_denied(policy: bytes | None, action: str, resource: str) -> bool:
    """Whether the bucket's policy denies the action to every caller."""
    if policy is None:
        return False
    denied: bool = _read(policy).is_action_permitted(action, resource) == PermissionResult.DENIED
    return denied


@lru_cache(maxsize=16)
def _read(policy: bytes) -> IAMPolicy:
    return IAMPolicy(policy.decode())
