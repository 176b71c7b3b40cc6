"""Reading the daily digests from their bucket."""

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
