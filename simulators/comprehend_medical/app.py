"""The service's HTTP interface: AWS JSON 1.1, its limits and its errors.

`GET /health` answers 200. `PUT /faults` with `{"error": "TooManyRequestsException", "times": 3}` makes
the next three requests fail with that error, to test an outage.
"""

import json
from collections.abc import Callable, Iterable
from threading import Lock
from typing import TYPE_CHECKING, Any

from simulators.comprehend_medical.answers import (
    detect_entities_v2,
    infer_icd10cm,
    infer_rxnorm,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

TARGET = "ComprehendMedical_20181030."
JSON = "application/x-amz-json-1.1"

OPERATIONS: dict[str, tuple[Callable[[str], dict[str, Any]], int]] = {
    "DetectEntitiesV2": (detect_entities_v2, 20_000),
    "InferICD10CM": (infer_icd10cm, 10_000),
    "InferRxNorm": (infer_rxnorm, 10_000),
}
"""An operation: the function that answers, and the maximum bytes of text."""

STATUS = {
    "InternalServerException": "500 Internal Server Error",
    "ServiceUnavailableException": "503 Service Unavailable",
    "TooManyRequestsException": "429 Too Many Requests",
}
BAD_REQUEST = "400 Bad Request"


class ServiceError(Exception):
    """Raised for an error response: its AWS error code and its text."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name, self.text = name, text


class OrderedErrors:
    """The error that `PUT /faults` has set for the next requests."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._error, self._times = "", 0

    def order(self, document: dict[str, Any]) -> None:
        """Sets the error of the next `times` requests; 0 clears it."""
        with self._lock:
            self._error, self._times = str(document["error"]), int(document.get("times", 1))

    def next(self) -> None:
        """Raises the error while requests are left to fail."""
        with self._lock:
            if self._times <= 0:
                return
            self._times -= 1
            raise ServiceError(self._error, "set by PUT /faults")


def create_app() -> "WSGIApplication":
    """Returns the simulator as a WSGI application with its own faults."""
    faults = OrderedErrors()

    def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        status, name, document = "200 OK", "", {}
        try:
            document = _answer(environ, faults)
        except ServiceError as error:
            name = error.name
            status = STATUS.get(name, BAD_REQUEST)
            document = {"__type": name, "Message": error.text}
        body = json.dumps(document).encode()
        headers = [("Content-Type", JSON), ("Content-Length", str(len(body)))]
        start_response(status, [*headers, *([("x-amzn-ErrorType", name)] if name else [])])
        return [body]

    return app


def _answer(environ: "WSGIEnvironment", faults: OrderedErrors) -> dict[str, Any]:
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    if (method, path) == ("GET", "/health"):
        return {"status": "ok"}
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    if (method, path) == ("PUT", "/faults"):
        faults.order(json.loads(body))
        return {}
    operation = environ.get("HTTP_X_AMZ_TARGET", "").removeprefix(TARGET)
    if method != "POST" or operation not in OPERATIONS:
        raise ServiceError("UnknownOperationException", "The requested operation is not supported")
    faults.next()
    find, limit = OPERATIONS[operation]
    return find(_text(body, limit))


def _text(body: bytes, limit: int) -> str:
    """Returns the request's Text. Raises `ServiceError` as the service does."""
    try:
        request = json.loads(body.decode())
    except UnicodeDecodeError:
        raise ServiceError("InvalidEncodingException", "The input text is not in UTF-8") from None
    except ValueError:
        raise ServiceError("SerializationException", "The request is not JSON") from None
    text = request.get("Text") if isinstance(request, dict) else None
    if not isinstance(text, str) or not text:
        raise ServiceError("InvalidRequestException", "Text must have at least one character")
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise ServiceError("InvalidEncodingException", "The input text is not in UTF-8") from None
    if size > limit:
        raise ServiceError(
            "TextSizeLimitExceededException",
            f"Input text size exceeds limit. Max length of request text allowed is {limit} bytes",
        )
    return text
