"""The bucket of the audit's digests: a digest stays until its last day, as S3 Object Lock decides."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.infra.conftest import Stacks

BUCKET, KEY = "locked", "digests/2026-11-25.jsonl"
SIX_YEARS = timedelta(days=6 * 365 + 1)
"""45 CFR 164.316(b)(2)(i): documentation is retained for six years."""


@pytest.mark.parametrize(("name", "mode"), [("staging", "GOVERNANCE"), ("prod", "COMPLIANCE")])
def test_a_digest_cannot_be_deleted_before_its_last_day(
    name: str, mode: str, synthesised: Callable[[str], Stacks], aws: Any
) -> None:
    """moto's S3 has the bucket of the template; boto3 documentation, `put_object_lock_configuration`."""
    bucket = synthesised(name)["core"].properties("AuditDigests/Bucket")
    assert bucket["ObjectLockEnabled"] is True
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=bucket["ObjectLockEnabled"])
    s3.put_object_lock_configuration(
        Bucket=BUCKET, ObjectLockConfiguration=bucket["ObjectLockConfiguration"]
    )
    version = s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"{}")["VersionId"]
    stored = s3.head_object(Bucket=BUCKET, Key=KEY)
    assert stored["ObjectLockMode"] == mode
    until = stored["ObjectLockRetainUntilDate"]
    assert until - datetime.now(UTC) > SIX_YEARS
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=BUCKET, Key=KEY, VersionId=version)
    (kept,) = s3.list_object_versions(Bucket=BUCKET)["Versions"]
    assert kept["VersionId"] == version
