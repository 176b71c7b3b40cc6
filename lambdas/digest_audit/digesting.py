"""Makes the daily digests of the audit trail and writes them once.

The bucket keeps every version for the retention of the audit (S3 Object Lock), and no other function may
write it. https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta

from botocore.exceptions import ClientError

from lambdas.common.audit import chain
from lambdas.common.audit.canonical import GENESIS
from lambdas.common.audit.checks import DigestLine, line_of
from lambdas.common.audit.context import AuditContext
from lambdas.common.audit.digests import Digest, DigestBucket, key_of
from lambdas.common.audit.forms import number_of
from lambdas.common.aws.clients import dependency
from lambdas.common.aws.items import Item
from lambdas.common.clock import iso

GRACE = timedelta(minutes=15)
"""After midnight (UTC): entries of the day are written, and the index `by_day` has them."""

MAX_EMPTY_DAYS = 100
"""The first digest of an environment is that of its oldest day: the search ends at so many days without an entry."""

RESERVE_SECONDS = 120
"""A digest is not begun with less time left: a day of 100,000 events was not measured to take longer."""


def write_due(
    context: AuditContext, now: datetime, remaining_seconds: Callable[[], float]
) -> list[str]:
    """Writes the missing digests in the order of days, while there is time; returns their days."""
    digests = context.digests()
    newest = (now - GRACE).date() - timedelta(days=1)
    known = digests.days()
    day = date.fromisoformat(known[-1]) + timedelta(days=1) if known else _oldest(context, newest)
    written: list[str] = []
    while day <= newest and remaining_seconds() > RESERVE_SECONDS:
        before = digests.read(known[-1]) if known else None
        previous = before.sha256 if before else GENESIS
        made = Digest(
            environment=context.settings.environment,
            day=day.isoformat(),
            made_at=iso(now),
            previous=previous,
            lines=lines_of_day(context, day.isoformat()),
        )
        if not _write(digests, made):
            break  # another invocation is at it
        known.append(made.day)
        written.append(made.day)
        day += timedelta(days=1)
    return written


def lines_of_day(context: AuditContext, day: str) -> dict[str, DigestLine]:
    """The digest line of each event with an entry of the day."""
    lines: dict[str, DigestLine] = {}
    entries: dict[str, list[Item]] = {}
    for entry in chain.of_day(context, day):
        kept = entries.setdefault(str(entry["event_id"]), [])
        # Of the chain only the last entry counts.
        if number_of(entry):
            last = next((one for one in kept if number_of(one)), None)
            if last and last["seq"] > entry["seq"]:
                continue
            kept[:] = [one for one in kept if not number_of(one)]
        kept.append(entry)
    for event_id in sorted(entries):
        lines[event_id] = line_of(entries[event_id])
    return lines


def _oldest(context: AuditContext, newest: date) -> date:
    """The oldest day with an entry, searched backwards; the newest day where there is none."""
    day = oldest = newest
    while (oldest - day).days < MAX_EMPTY_DAYS:
        day -= timedelta(days=1)
        entries = chain.of_day(context, day.isoformat(), ProjectionExpression="event_id", Limit=1)
        if next(entries, None):
            oldest = day
    return oldest


def _write(digests: DigestBucket, digest: Digest) -> bool:
    """Whether the digest was written; False when the day has one already."""
    try:
        with dependency("s3"):
            digests.context.client("s3").put_object(
                Bucket=digests.bucket,
                Key=key_of(digest.day),
                Body=digest.to_bytes(),
                ContentType="application/jsonl",
                # Object Lock asks for a checksum of the bytes.
                ChecksumAlgorithm="SHA256",
                IfNoneMatch="*",
            )
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] not in (409, 412):
            raise
        return False
    return True
