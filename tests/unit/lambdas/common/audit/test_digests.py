"""Reading the daily digests from their bucket."""

import gzip
import json
import time
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

from lambdas.common.audit.canonical import GENESIS
from lambdas.common.audit.checks import DigestLine
from lambdas.common.audit.digests import Digest, DigestBucket
from lambdas.common.aws.clients import Clients
from lambdas.common.function.context import Context
from lambdas.common.function.settings import Settings

DAY = "2026-11-23"
DIGEST = Digest(
    environment="test",
    day=DAY,
    made_at="2026-11-24T00:15:00.000Z",
    previous=GENESIS,
    lines={"5e" * 16: DigestLine(3, "ab" * 32)},
)


class SlowBucket:
    """S3 with one digest, which takes a while to come."""

    def __init__(self) -> None:
        self.reads = 0

    def get_object(self, **_: Any) -> dict[str, Any]:
        """The digest, as boto3 answers."""
        self.reads += 1
        time.sleep(0.05)
        return {"Body": BytesIO(DIGEST.to_bytes())}


def test_threads_that_want_a_digest_at_the_same_time_read_it_once() -> None:
    """A digest of a large day has megabytes, and sixteen threads verify events."""
    s3 = SlowBucket()
    settings = Settings(
        environment="test",
        vault_bucket="vault",
        audit_table="audit",
        status_table="status",
        reference_key_secret="reference",
        audit_key_secret="audit",
    )
    digests = DigestBucket(Context(settings, Clients(s3=s3)), "digests")
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(digests.read, [DAY] * 8))
    assert s3.reads == 1
    assert {digest.day for digest in found if digest} == {DAY}
    assert digests.lines_of("5e" * 16) == {DAY: DigestLine(3, "ab" * 32)}


def test_a_digest_survives_its_own_text() -> None:
    assert Digest.from_bytes(DIGEST.to_bytes()).lines == DIGEST.lines


HEADER = json.loads(DIGEST.to_bytes().split(b"\n")[0])
ROW = ["5e" * 16, 3, "ab" * 32, ""]
ABSURD: list[Any] = [None, True, -1, 1.5, 10**400, "", "x", [], {}, [[]], {"a": 1}]


def text_of(*lines: Any) -> bytes:
    return "\n".join(map(json.dumps, lines)).encode()


BROKEN = [
    b"",
    b"\n",
    b"{",
    b"\xff\xfe",
    gzip.compress(DIGEST.to_bytes()),
    gzip.compress(DIGEST.to_bytes())[:-9],
    DIGEST.to_bytes()[:-1],
    DIGEST.to_bytes() + b"\n",
    b"[" * 100_000,
    text_of(HEADER, ROW, ROW),
    text_of({**HEADER, "events": 2}, ROW, ROW),
    *(text_of({name: HEADER[name] for name in HEADER if name != gone}, ROW) for gone in HEADER),
    *(text_of({**HEADER, "day": value}, ROW) for value in ABSURD if not isinstance(value, str)),
    *(text_of({**HEADER, "events": value}, ROW) for value in ABSURD if value is not True),
    *(text_of(value, ROW) for value in ABSURD),
    *(text_of(HEADER, value) for value in ABSURD),
    *(
        text_of(HEADER, [*ROW[:place], value, *ROW[place + 1 :]])
        for place in range(4)
        for value in ABSURD
        if not isinstance(value, str | int) or (isinstance(value, str) and place == 1)
    ),
    text_of(HEADER, [ROW[0], -1, *ROW[2:]]),
    text_of(HEADER, [ROW[0], True, *ROW[2:]]),
    text_of(HEADER, [*ROW, "more"]),
]


def test_a_broken_digest_is_no_digest_whatever_is_wrong_with_it() -> None:
    read = [content for content in BROKEN if _is_read(content)]
    # A header without `version`: no reader asks for it.
    assert read == [text_of({n: HEADER[n] for n in HEADER if n != "version"}, ROW)]


def _is_read(content: bytes) -> bool:
    try:
        Digest.from_bytes(content)
    except ValueError:
        return False
    return True
