"""Our signatures are the ones that botocore makes of the same requests."""

import hashlib
import re
from datetime import UTC, datetime
from unittest.mock import patch

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.storage.aws_client.signature import Credentials, signed_head

PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~"
"""Characters that a path holds unescaped (RFC 3986 2.3); the receiver's keys have no others."""

OWN = {"host", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "authorization"}
segments = st.text(PLAIN, min_size=1, max_size=20).filter(lambda text: text not in (".", ".."))
paths = st.lists(segments, max_size=4).map(lambda parts: "/" + "/".join(parts))
names = st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,8}){0,3}", fullmatch=True)
values = st.from_regex(r"[!-~]([ -~]{0,30}[!-~])?", fullmatch=True).filter(
    # botocore folds spaces (SigV4, canonical headers); the receiver writes no such value.
    lambda text: "  " not in text
)
headers = st.dictionaries(
    # botocore leaves these unsigned, because proxies change them.
    names.filter(lambda n: n not in OWN | {"expect", "user-agent", "transfer-encoding"}),
    values,
    max_size=5,
)
secrets = st.text(PLAIN + "/+=", min_size=1, max_size=40)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1))  # noqa: DTZ001  # UTC below


@settings(max_examples=200)
@given(
    service=st.sampled_from(["s3", "sqs"]),
    method=st.sampled_from(["GET", "PUT", "POST", "HEAD"]),
    path=paths,
    more=headers,
    body=st.binary(max_size=200),
    secret=secrets,
    token=st.one_of(st.just(""), secrets),
    moment=moments,
)
def test_a_request_is_signed_as_botocore_signs_it(
    *,
    service: str,
    method: str,
    path: str,
    more: dict[str, str],
    body: bytes,
    secret: str,
    token: str,
    moment: datetime,
) -> None:
    sent = {"host": f"vault.{service}.example:4566", **more}
    head = signed_head(
        method,
        path,
        sent,
        hashlib.sha256(body).hexdigest(),
        service=service,
        region="ca-central-1",
        credentials=Credentials("AKID", secret, token),
        now=moment.replace(tzinfo=UTC),
    ).decode()

    request = AWSRequest(method, f"http://{sent['host']}{path}", headers=sent, data=body)
    kind = S3SigV4Auth if service == "s3" else SigV4Auth
    credentials = BotocoreCredentials("AKID", secret, token or None)
    with patch("botocore.auth.get_current_datetime", return_value=moment):
        kind(credentials, service, "ca-central-1").add_auth(request)

    found = re.search(r"^authorization: (.*)\r$", head, re.MULTILINE)
    assert found is not None
    assert found[1] == request.headers["Authorization"]
    assert head.startswith(f"{method} {path} HTTP/1.1\r\n")
    assert head.endswith("\r\n\r\n")


def test_credentials_do_not_show_their_secrets() -> None:
    assert "hidden" not in repr(Credentials("AKID", "hidden", "hidden"))
