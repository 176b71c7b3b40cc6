"""Objects are stored, read and refused as by moto's own S3."""

import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

import boto3
import pytest
from moto import mock_aws
from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.request import Request
from moto.s3.exceptions import S3AccessDeniedError
from moto.s3.models import S3Backend
from moto.s3.responses import S3Response
from werkzeug.test import EnvironBuilder

from local.patches.speed.s3 import objects

MOTO = objects._moto
SCOPE = "AWS4-HMAC-SHA256 Credential=ASIA/20261127/us-east-1/s3/aws4_request, SignedHeaders=host"
CHANGING = ("x-amz-request-id", "x-amzn-requestid", "x-amz-version-id", "last-modified", "date")


@dataclass(frozen=True, slots=True)
class ObjectRequest:
    """A request for an object."""

    method: str
    key: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    query: str = ""
    bucket: str = "versioned"


PUT = ObjectRequest("PUT", "events/ä b/x.json", {"Content-Type": "application/json"}, b"{}")
GET = ObjectRequest("GET", PUT.key)
COPY = {"x-amz-copy-source": quote(f"/versioned/{PUT.key}")}
LOCK = {"x-amz-object-lock-mode": "COMPLIANCE", "x-amz-sdk-checksum-algorithm": "CRC32"}

TAKEN: dict[str, ObjectRequest] = {
    "put": PUT,
    "put an empty object": replace(PUT, body=b""),
    "put with metadata": replace(PUT, headers={"x-amz-meta-Kind": "letter", "Cache-Control": "a"}),
    "put with a key": replace(
        PUT,
        headers={
            "x-amz-server-side-encryption": "aws:kms",
            "x-amz-server-side-encryption-aws-kms-key-id": "k",
        },
    ),
    "put with a checksum": replace(PUT, headers={"x-amz-sdk-checksum-algorithm": "CRC32"}),
    "put once": replace(PUT, key="new", headers={"If-None-Match": "*"}),
    "put without versions": replace(PUT, bucket="plain"),
    "get": GET,
    "get without versions": replace(GET, bucket="plain"),
    "get what has not changed": replace(
        GET, headers={"If-Modified-Since": "Fri, 27 Nov 2099 00:00:00 GMT"}
    ),
}
LEFT: dict[str, ObjectRequest] = {
    "put once again": replace(PUT, headers={"If-None-Match": "*"}),
    "put into no bucket": replace(PUT, bucket="none"),
    "put into a locked bucket": replace(PUT, bucket="locked"),
    "put with tags": replace(PUT, headers={"x-amz-tagging": "a=b&c=d"}),
    "put with a tag that is refused": replace(PUT, headers={"x-amz-tagging": "aws:a=b"}),
    "put a form": replace(
        PUT, headers={"Content-Type": "application/x-www-form-urlencoded"}, body=b"key=v&file=b"
    ),
    "put with a lock": replace(PUT, headers=LOCK),
    "put tags": replace(
        PUT,
        query="tagging",
        body=b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>",
    ),
    "put what the policy denies": replace(PUT, key="denied/x"),
    "put in chunks": replace(
        PUT,
        headers={
            "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            "x-amz-decoded-content-length": "2",
        },
        body=b"2\r\n{}\r\n0\r\n\r\n",
    ),
    "copy": replace(PUT, key="copy", headers=COPY, body=b""),
    "get a part": replace(GET, headers={"Range": "bytes=0-0"}),
    "get nothing": replace(GET, key="missing"),
    "get no version": replace(GET, query="versionId=none"),
    "get tags": replace(GET, query="tagging"),
    "head": replace(GET, method="HEAD"),
    "delete": replace(GET, method="DELETE"),
    "get without a signature": replace(GET, headers={"Authorization": ""}),
}


@pytest.fixture
def buckets(environment: dict[str, str]) -> Iterator[None]:
    with mock_aws():
        s3 = boto3.client("s3")
        for bucket in ("versioned", "plain"):
            s3.create_bucket(Bucket=bucket)
        s3.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
        s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
        statement = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": "arn:aws:s3:::versioned/denied/*",
        }
        s3.put_bucket_policy(
            Bucket="versioned",
            Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        )
        for bucket in ("versioned", "plain", "locked"):
            s3.put_object(Bucket=bucket, Key=PUT.key, Body=b"text", Metadata={"kind": "letter"})
        yield


@pytest.fixture
def left_to_moto(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The methods of the requests that moto answered by itself, as they come."""
    seen: list[str] = []

    def counted(handler: S3Response, request: Request, *rest: Any) -> Any:
        seen.append(request.method)
        return MOTO(handler, request, *rest)

    monkeypatch.setattr(objects, "_moto", counted)
    return seen


def answered(
    call: ObjectRequest, key_response: Callable[..., Any]
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body; of what differs in each answer the names alone."""
    builder = EnvironBuilder(
        f"/{call.bucket}/{call.key}",
        "http://127.0.0.1:4566",
        method=call.method,
        query_string=call.query,
        headers=list({"Authorization": SCOPE, **call.headers}.items()),
        data=call.body,
    )
    environ = builder.get_environ()
    environ["RAW_URI"] = quote(f"/{call.bucket}/{call.key}") + f"?{call.query}"
    if not environ["HTTP_AUTHORIZATION"]:
        del environ["HTTP_AUTHORIZATION"]
    request = Request(environ)
    status, headers, body = key_response(S3Response(), request, request.raw_url, None)
    body = body.encode() if isinstance(body, str) else body
    body = re.sub(rb"<(RequestId|LastModified)>[^<]+", rb"<\1>", body)
    found = {name.lower(): str(value) for name, value in headers.items()}
    return int(status), found | {n: "" for n in CHANGING if n in found}, body


def versions() -> int:
    """The number of versions of all objects in the bucket that has versions."""
    return len(boto3.client("s3").list_object_versions(Bucket="versioned")["Versions"])


@pytest.mark.usefixtures("buckets")
@pytest.mark.parametrize("name", TAKEN)
def test_a_usual_call_is_answered_as_by_moto(name: str, left_to_moto: list[str]) -> None:
    call = TAKEN[name]
    short = answered(call, objects._key_response)
    assert left_to_moto == []
    if "None-Match" in str(call.headers):
        call = replace(call, key=f"{call.key} of moto")
    assert short == answered(call, MOTO)


@pytest.mark.usefixtures("buckets")
@pytest.mark.parametrize("name", LEFT)
def test_any_other_request_is_left_to_moto(name: str, left_to_moto: list[str]) -> None:
    call = LEFT[name]
    counts = [versions()]
    first = answered(call, objects._key_response)
    counts.append(versions())
    assert left_to_moto == [call.method]
    if call.method == "DELETE":
        assert first[0] == 204
    else:
        assert first == answered(call, MOTO)
        counts.append(versions())
        assert counts[1] - counts[0] == counts[2] - counts[1], "an object was stored twice"


@pytest.mark.usefixtures("buckets")
def test_of_two_puts_at_once_that_must_be_the_first_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    look = S3Backend.get_object

    def slowly(*args: Any, **kwargs: Any) -> Any:
        found = look(*args, **kwargs)
        time.sleep(0.05)
        return found

    monkeypatch.setattr(S3Backend, "get_object", slowly)
    call = replace(PUT, key="new", headers={"If-None-Match": "*"})
    with ThreadPoolExecutor(2) as both:
        statuses = both.map(lambda _: answered(call, objects._key_response)[0], range(2))
    assert sorted(statuses) == [200, 412]


@pytest.mark.usefixtures("buckets")
def test_each_version_is_read_by_its_id() -> None:
    s3 = boto3.client("s3")
    for body in (b"first", b"second"):
        answered(replace(PUT, body=body), objects._key_response)
    versions = s3.list_object_versions(Bucket="versioned", Prefix="events")["Versions"]
    read = [
        answered(replace(GET, query=f"versionId={v['VersionId']}"), objects._key_response)[2]
        for v in sorted(versions, key=lambda v: v["Size"])
    ]
    assert read == [b"text", b"first", b"second"]


@pytest.mark.usefixtures("buckets")
def test_a_caller_who_may_not_put_an_object_stores_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(handler: S3Response, _: type, resource: str) -> None:
        assert (handler._get_action(), resource) == ("PutObject", f"arn:aws:s3:::plain/{PUT.key}")
        raise S3AccessDeniedError

    call = replace(PUT, bucket="plain", body=b"not allowed")
    with monkeypatch.context() as patched:
        patched.setattr(ActionAuthenticatorMixin, "_authenticate_and_authorize_action", refused)
        status, _, body = answered(call, objects._key_response)
    assert (status, b"AccessDenied" in body) == (403, True)
    assert answered(replace(GET, bucket="plain"), MOTO)[2] == b"text"
