"""Daily digests of the audit trail, and reading them from their Object Lock bucket.

A digest lists each event that has entries of the day, with the number and hash of the last one. It holds
the SHA-256 of the digest before it. Text: a JSON object, then a JSON array for each event, by event id.
"""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from threading import Lock
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.audit.canonical import GENESIS
from lambdas.common.audit.checks import DigestLine
from lambdas.common.aws.clients import dependency
from lambdas.common.clock import is_day
from lambdas.common.function.context import Context

FOLDER = "digests"
VERSION = 1
READ_BY = timedelta(hours=2)
"""After midnight (UTC) by when the digest of the day before must be there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """The digest of one day (UTC). `previous` is the SHA-256 of the digest before it, or 64 zeros."""

    environment: str
    day: str
    made_at: str
    previous: str
    lines: dict[str, DigestLine] = field(default_factory=dict)
    sha256: str = ""

    def to_bytes(self) -> bytes:
        """The digest as stored."""
        header = {
            "version": VERSION,
            "environment": self.environment,
            "day": self.day,
            "made_at": self.made_at,
            "previous": self.previous,
            "events": len(self.lines),
        }
        rows = [[event, line.seq, line.hash, line.outside] for event, line in self.lines.items()]
        return "\n".join(map(_json, [header, *sorted(rows)])).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> "Digest":
        """Reads a stored digest. Raises `ValueError` for another text."""
        try:
            header, *rows = map(json.loads, content.decode().split("\n"))
            lines = {event: _line(event, *line) for event, *line in rows}
            if header["events"] != len(lines) or len(rows) != len(lines):
                raise ValueError
            named = ("environment", "day", "made_at", "previous")
            return cls(
                **{name: _text(header[name]) for name in named},
                lines=lines,
                sha256=hashlib.sha256(content).hexdigest(),
            )
        except (KeyError, TypeError, ValueError, RecursionError):
            raise ValueError("not a digest of the audit trail") from None


def key_of(day: str) -> str:
    """The object key of a day's digest; keys sort by day."""
    return f"{FOLDER}/{day}.jsonl"


def due_day(now: datetime) -> str:
    """The newest day whose digest must be there."""
    return day_before((now - READ_BY).date().isoformat())


def day_before(day: str) -> str:
    """The day before a day (YYYY-MM-DD)."""
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


@dataclass(frozen=True)
class DigestBucket:
    """The digests of an environment; each is read once, also where threads want it at the same time."""

    context: Context
    bucket: str
    unreadable: set[str] = field(default_factory=set, init=False)
    _read: dict[str, Digest | None] = field(default_factory=dict, init=False, repr=False)
    _days_of: dict[str, list[str]] = field(default_factory=dict, init=False, repr=False)
    _reading: Lock = field(default_factory=Lock, init=False, repr=False)

    def read(self, day: str) -> Digest | None:
        """The day's digest; None where there is none, or an unreadable one (then `unreadable` has its day)."""
        with self._reading:
            if day not in self._read:
                self._read[day] = digest = self._parsed(day)
                for event_id in digest.lines if digest else ():
                    self._days_of.setdefault(event_id, []).append(day)
            return self._read[day]

    def _parsed(self, day: str) -> Digest | None:
        content = self._content(day)
        try:
            return Digest.from_bytes(content) if content is not None else None
        except ValueError:
            self.unreadable.add(day)
            return None

    def lines_of(self, event_id: str) -> dict[str, DigestLine]:
        """The event's lines in the digests that were read so far, by day."""
        days = list(self._days_of.get(event_id, ()))
        digests = ((day, self._read[day]) for day in days)
        return {day: digest.lines[event_id] for day, digest in digests if digest}

    def days(self) -> list[str]:
        """The days that have a digest, in order. Objects of other names are none."""
        pages = self.context.client("s3").get_paginator("list_objects_v2")
        with dependency("s3"):
            keys = [
                str(item["Key"])
                for page in pages.paginate(Bucket=self.bucket, Prefix=f"{FOLDER}/")
                for item in page.get("Contents", [])
            ]
        names = (key.removeprefix(f"{FOLDER}/").removesuffix(".jsonl") for key in keys)
        return sorted(filter(is_day, names))

    def _content(self, day: str) -> bytes | None:
        try:
            with dependency("s3"):
                answer = self.context.client("s3").get_object(Bucket=self.bucket, Key=key_of(day))
                content: bytes = answer["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("NoSuchKey", "404"):
                raise
            return None
        return content


def link_fault(digest: Digest, before: Digest | None) -> str:
    """The fault between a digest and the one of the day before it; "" where the chain holds.

    The first digest has none before it.
    """
    expected = before.sha256 if before else GENESIS
    return (
        ""
        if digest.previous == expected
        else f"the digest of {digest.day} does not follow the one before it"
    )


def _line(event: object, seq: object, entry_hash: object, outside: object = "") -> DigestLine:
    """The line of an event. Raises `ValueError` for a member of another type."""
    _text(event)
    if not isinstance(seq, int) or isinstance(seq, bool) or seq < 0:
        raise ValueError
    return DigestLine(seq, _text(entry_hash), _text(outside))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
