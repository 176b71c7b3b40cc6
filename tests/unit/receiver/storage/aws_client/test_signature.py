"""Our signatures are the ones that botocore makes of the same requests."""

import hashlib
import re
from datetime import UTC, datetime
from unittest.mock import patch

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

from receiver.storage.aws_client.signature import Credentials, signed_head

NOW = datetime(2026, 11, 23, 9, 15, 2, tzinfo=UTC)


@pytest.mark.parametrize("service", ["s3", "sqs"])
@pytest.mark.parametrize("token", ["", "session token"])
def test_a_request_is_signed_as_botocore_signs_it(service: str, token: str) -> None:
    body, path = b"MSH|^~\\&|", "/events/0a1b/message.hl7" if service == "s3" else "/"
    headers = {"host": f"vault.{service}.example:4566", "content-type": "x/y", "x-amz-meta-a": "b"}
    head = signed_head(
        "PUT",
        path,
        headers,
        hashlib.sha256(body).hexdigest(),
        service=service,
        region="ca-central-1",
        credentials=Credentials("AKID", "secret", token),
        now=NOW,
    ).decode()

    request = AWSRequest("PUT", f"http://{headers['host']}{path}", headers=headers, data=body)
    kind = S3SigV4Auth if service == "s3" else SigV4Auth
    credentials = BotocoreCredentials("AKID", "secret", token or None)
    with patch("botocore.auth.get_current_datetime", return_value=NOW.replace(tzinfo=None)):
        kind(credentials, service, "ca-central-1").add_auth(request)

    found = re.search(r"^authorization: (.*)\r$", head, re.MULTILINE)
    assert found is not None
    assert found[1] == request.headers["Authorization"]
    assert head.startswith(f"PUT {path} HTTP/1.1\r\n")
    assert head.endswith("\r\n\r\n")


def test_credentials_do_not_show_their_secrets() -> None:
    assert "hidden" not in repr(Credentials("AKID", "hidden", "hidden"))
