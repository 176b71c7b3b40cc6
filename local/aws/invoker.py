"""Invoke functions from inside the AWS double with a role, without an HTTP connection to ourselves.

The request passes the same layers as one that came over HTTP: faults, authorisation, and moto.
"""

import io
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from botocore.exceptions import ClientError
from werkzeug.wrappers import Response

from local.aws.clients import REGION, role_environment
from local.aws.sockets import HOST, App


class LambdaInvoker:
    """The one call of boto3's Lambda client that the workflow interpreter makes."""

    def __init__(self, app: App, port: int, role_arn: str) -> None:
        role = role_environment(port, role_arn)
        self._app = app
        self._port = str(port)
        self._key_id = role["AWS_ACCESS_KEY_ID"]
        self._token = role["AWS_SESSION_TOKEN"]

    def invoke(
        self,
        *,
        FunctionName: str,  # noqa: N803
        Payload: str | bytes = b"{}",  # noqa: N803
        **settings: Any,
    ) -> dict[str, Any]:
        """The answer of boto3's `invoke`. Raises `ClientError` where Lambda refuses the call.

        https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
        """
        body = Payload.encode() if isinstance(Payload, str) else Payload
        scope = f"{self._key_id}/{datetime.now(UTC):%Y%m%d}/{REGION}/lambda/aws4_request"
        path = f"/2015-03-31/functions/{FunctionName}/invocations"
        environ = {
            "REQUEST_METHOD": "POST",
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "RAW_URI": quote(path),
            "QUERY_STRING": "",
            "SERVER_NAME": HOST,
            "SERVER_PORT": self._port,
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": f"{HOST}:{self._port}",
            "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=",
            "HTTP_X_AMZ_SECURITY_TOKEN": self._token,
            "HTTP_X_AMZ_INVOCATION_TYPE": settings.get("InvocationType", "RequestResponse"),
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
        }
        answer = Response.from_app(self._app, environ)
        if answer.status_code >= 300:
            raise _refused(answer)
        found: dict[str, Any] = {
            "StatusCode": answer.status_code,
            "Payload": io.BytesIO(answer.get_data()),
        }
        if "x-amz-function-error" in answer.headers:
            found["FunctionError"] = answer.headers["x-amz-function-error"]
        return found


def _refused(answer: Response) -> ClientError:
    """The error that boto3 raises for an answer with the status of an error."""
    try:
        document = json.loads(answer.get_data())
    except ValueError:
        document = {}
    code = answer.headers.get("x-amzn-errortype") or document.get("__type", "Unknown")
    message = document.get("message") or document.get("Message", "")
    return ClientError({"Error": {"Code": code, "Message": message}}, "Invoke")
