"""AWS Signature Version 4 for requests with plain paths and no query (AWS IAM User Guide, SigV4)."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key, its secret, and the session token of temporary ones."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str = field(default="", repr=False)


def signed_head(
    method: str,
    path: str,
    headers: Mapping[str, str],
    body_sha256: str,
    *,
    service: str,
    region: str,
    credentials: Credentials,
    now: datetime | None = None,
) -> bytes:
    """The head of a signed HTTP/1.1 request, its blank line included.

    `headers` have lower-case names, `host` among them; all of them are signed. `body_sha256` is in hex.
    """
    moment = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    signed = {**headers, "x-amz-date": moment}
    if service == "s3":
        signed["x-amz-content-sha256"] = body_sha256
    if credentials.token:
        signed["x-amz-security-token"] = credentials.token
    names = sorted(signed)
    lines = "".join([f"{name}:{signed[name]}\n" for name in names])
    listed = ";".join(names)
    canonical = f"{method}\n{path}\n\n{lines}\n{listed}\n{body_sha256}"
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"{_ALGORITHM}\n{moment}\n{scope}\n{digest}"
    key = _signing_key(credentials.secret_key, moment[:8], region, service)
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    head = "".join([f"{name}: {signed[name]}\r\n" for name in names])
    return (
        f"{method} {path} HTTP/1.1\r\n{head}"
        f"authorization: {_ALGORITHM} Credential={credentials.access_key}/{scope}, "
        f"SignedHeaders={listed}, Signature={signature}\r\n\r\n"
    ).encode()


@lru_cache(maxsize=8)  # one key for each day and service
def _signing_key(secret_key: str, day: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret_key}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
