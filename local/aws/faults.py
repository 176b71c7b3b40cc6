"""Faults on demand, for tests: the next requests that match fail as AWS fails, or not at all as it should.

`POST /_local/faults` with `{"service", "operation", "times", …}` arms one, `DELETE` disarms all,
`GET` lists what is left. How the matching requests fail:

* `code` and `status`: the service answers that error (`ThrottlingException`, 400);
* `disconnect`: the connection closes without an answer;
* `delay`: the service does the work and answers so many seconds late;
* `after`: the service does the work, and then the caller sees the failure.

`match` narrows it to requests whose path or body contains that text.
"""

import json
import socket
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from http import HTTPStatus

from werkzeug.wrappers import Response

from local.aws.requests import body_of, json_of, operation_of, service_of
from local.aws.sockets import App, Environ, StartResponse

PATH = "/_local/faults"


@dataclass
class ArmedFault:
    """One armed fault; `times` counts down to none."""

    service: str
    operation: str
    times: int = 1
    code: str = "InternalFailure"
    status: int = 500
    message: str = "a fault that a test asked for"
    disconnect: bool = False
    delay: float = 0.0
    after: bool = False
    match: str = ""

    def fits(self, environ: Environ) -> bool:
        """Whether it is meant for this request."""
        return (
            self.times > 0
            and service_of(environ) == self.service
            and operation_of(environ) == self.operation
            and self.match in environ.get("PATH_INFO", "") + body_of(environ).decode("latin-1")
        )


class FaultInjector:
    """The armed faults of a local run, shared by the servers that it puts in front of."""

    def __init__(self) -> None:
        self._armed: list[ArmedFault] = []
        self._lock = threading.Lock()

    def in_front_of(self, app: App) -> App:
        """`app` with these faults before it, and with the requests that arm and disarm them."""

        def guarded(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            if environ.get("PATH_INFO") == PATH:
                return self._control(environ)(environ, start_response)
            fault = self._take(environ)
            if fault is None:
                return app(environ, start_response)
            answer = Response.from_app(app, environ) if fault.after or fault.delay else None
            time.sleep(fault.delay)
            if answer is None or fault.after:
                answer = _failure(fault, environ)
            return answer(environ, start_response)

        return guarded

    def _take(self, environ: Environ) -> ArmedFault | None:
        if not self._armed:
            return None
        with self._lock:
            fault = next((fault for fault in self._armed if fault.fits(environ)), None)
            if fault is not None:
                fault.times -= 1
            return fault

    def _control(self, environ: Environ) -> Response:
        method = environ["REQUEST_METHOD"]
        with self._lock:
            if method == "POST":
                try:
                    self._armed.append(ArmedFault(**json_of(environ)))
                except (TypeError, ValueError) as error:
                    return Response(f"{error}\n", HTTPStatus.BAD_REQUEST)
            elif method == "DELETE":
                self._armed.clear()
            left = [asdict(fault) for fault in self._armed if fault.times > 0]
        return Response(json.dumps(left), content_type="application/json")


def disconnected(environ: Environ) -> Response:
    """An answer that nobody reads, after closing the connection of the request."""
    if "werkzeug.socket" not in environ:
        raise ConnectionResetError("a fault that a test asked for")
    with suppress(OSError):
        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return Response()


def _failure(fault: ArmedFault, environ: Environ) -> Response:
    """The service's error in its own protocol, or a connection that closes without a word."""
    if fault.disconnect:
        return disconnected(environ)
    if fault.service == "s3":
        text = f"<Error><Code>{fault.code}</Code><Message>{fault.message}</Message></Error>"
        return Response(text, fault.status, content_type="application/xml")
    if fault.service == "lambda":
        # The workflow interpreter knows errors of the platform only as those of a function.
        payload = {"errorType": fault.code, "errorMessage": fault.message}
        return Response(json.dumps(payload), headers={"x-amz-function-error": "Unhandled"})
    payload = {"__type": fault.code, "message": fault.message}
    return Response(
        json.dumps(payload),
        fault.status,
        headers={"x-amzn-errortype": fault.code},
        content_type="application/x-amz-json-1.0",
    )
