"""Invoking a function from inside the AWS double: boto3's answers and errors, past all layers."""

import io
import json
from collections.abc import Iterable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import invoker
from local.aws.faults import FaultInjector
from local.aws.invoker import LambdaInvoker
from local.aws.requests import body_of, operation_of, service_of
from local.aws.sockets import Environ, StartResponse

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:ParseMessage"


class LambdaApp:
    """A Lambda that keeps the requests and answers with the status and headers that a test sets."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, str, bytes, str]] = []
        self.status, self.headers, self.body = "200 OK", [("x", "y")], b'{"ok": true}'

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        self.requests.append(
            (
                service_of(environ),
                operation_of(environ),
                environ["PATH_INFO"],
                body_of(environ),
                environ["HTTP_X_AMZ_SECURITY_TOKEN"],
            )
        )
        start_response(self.status, self.headers)
        return [self.body]


@pytest.fixture
def app() -> LambdaApp:
    return LambdaApp()


@pytest.fixture
def role(monkeypatch: pytest.MonkeyPatch) -> None:
    credentials = {"AWS_ACCESS_KEY_ID": "ASIAROLE", "AWS_SESSION_TOKEN": "token"}
    monkeypatch.setattr(invoker, "role_environment", lambda _, __: credentials)


def invoke(app: Any) -> dict[str, Any]:
    return LambdaInvoker(app, 4566, "arn:role").invoke(FunctionName=FUNCTION, Payload='{"a": 1}')


def test_the_request_is_signed_for_the_role_and_names_the_function(
    role: None, app: LambdaApp
) -> None:
    answer = invoke(app)
    path = f"/2015-03-31/functions/{FUNCTION}/invocations"
    assert app.requests == [("lambda", "Invoke", path, b'{"a": 1}', "token")]
    assert json.load(answer["Payload"]) == {"ok": True}
    assert isinstance(answer["Payload"], io.BytesIO)
    assert "FunctionError" not in answer


def test_the_error_of_a_function_is_named_as_in_boto3(role: None, app: LambdaApp) -> None:
    app.headers = [("x-amz-function-error", "Unhandled")]
    assert invoke(app)["FunctionError"] == "Unhandled"


def test_a_refused_invocation_is_boto3_s_error(role: None, app: LambdaApp) -> None:
    app.status = "403 FORBIDDEN"
    app.body = b'{"__type": "AccessDeniedException", "message": "not authorized"}'
    with pytest.raises(ClientError, match="not authorized") as raised:
        invoke(app)
    assert raised.value.response["Error"]["Code"] == "AccessDeniedException"


def test_a_fault_that_a_test_arms_reaches_the_workflow(role: None, app: LambdaApp) -> None:
    faults = FaultInjector()
    body = json.dumps({"service": "lambda", "operation": "Invoke", "code": "Sandbox.Timedout"})
    armed = {
        "PATH_INFO": "/_local/faults",
        "REQUEST_METHOD": "POST",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body.encode()),
    }
    list(faults.in_front_of(app)(armed, lambda *_: None))
    assert invoke(faults.in_front_of(app))["FunctionError"] == "Unhandled"
    assert app.requests == []
