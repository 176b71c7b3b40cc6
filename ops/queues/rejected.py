"""Reads rejected messages from the vault: bytes under `rejected/<day>/`, reasons in the metadata."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from ops.aws_calls import if_exists
from ops.deployment import CONFIG, Deployment
from ops.problem import ProblemError

PREFIX = "rejected/"


@dataclass(frozen=True, slots=True)
class Rejected:
    """One rejected message without its bytes."""

    key: str
    reason: str
    received_at: str
    bytes: int
    peer: str
    connection: str


class RejectedSource:
    """The rejected messages of one environment."""

    def __init__(self, deployment: Deployment) -> None:
        self._bucket = deployment.output("VaultBucket")
        self._s3 = deployment.context.client("s3", CONFIG)

    def newest(self, days: int, reason: str, limit: int, today: date) -> list[Rejected]:
        """Returns the messages of the last `days` days, newest first; only of `reason` if it is not ""."""
        found: list[Rejected] = []
        for ago in range(days):
            for key in self._keys(today - timedelta(days=ago)):
                one = self.one(key)
                if not reason or one.reason == reason:
                    found.append(one)
                if len(found) >= limit:
                    return found
        return found

    def one(self, key: str) -> Rejected:
        """Returns the rejected message with this key. Raises `ProblemError` if it does not exist."""
        if not key.startswith(PREFIX):
            raise ProblemError(f"The key of a rejected message must begin with {PREFIX}.")
        ask = self._s3.head_object
        head: Any = if_exists(ask, "404", "NoSuchKey", Bucket=self._bucket, Key=key)
        if head is None:
            raise ProblemError(f"No rejected message has the key {key}.")
        metadata = head["Metadata"]
        return Rejected(
            key=key,
            reason=metadata.get("reason", ""),
            received_at=head["LastModified"].isoformat(),
            bytes=head["ContentLength"],
            peer=metadata.get("peer", ""),
            connection=metadata.get("connection", ""),
        )

    def _keys(self, day: date) -> Iterator[str]:
        """The keys of one day, newest first."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=f"{PREFIX}{day.isoformat()}/"
        )
        objects = [one for page in pages for one in page.get("Contents", [])]
        for one in sorted(objects, key=lambda one: one["LastModified"], reverse=True):
            yield one["Key"]
