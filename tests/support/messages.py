"""Messages for tests: the samples, and what would be too large to store."""

import base64
import hashlib
import re
import zlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import boto3

from lambdas.common.contracts.workflow.envelope import Envelope
from lambdas.common.keys import KeyRing

SAMPLES = Path(__file__).resolve().parents[2] / "samples"

RING = KeyRing("k1", {"k1": b"secret of reference-key"})
"""The reference key of the tests' secret (tests/conftest.py)."""


def sample(name: str) -> bytes:
    """The bytes of `samples/<name>.hl7`."""
    return (SAMPLES / f"{name}.hl7").read_bytes()


_TIME = re.compile(rb"(?<=\|)\d{14}(?=[-+|])")
_DAY_SECONDS = 24 * 60 * 60


def of_another_stay(message: bytes, name: bytes) -> bytes:
    """The message as if of another stay of the same patient: MSH-10 is `name`; times and numbers are new.

    The same name gives the same bytes.
    """
    earlier = timedelta(seconds=1 + zlib.crc32(name) % _DAY_SECONDS)

    def shifted(found: re.Match[bytes]) -> bytes:
        time = datetime.strptime(found[0].decode(), "%Y%m%d%H%M%S") - earlier  # noqa: DTZ007
        return time.strftime("%Y%m%d%H%M%S").encode()

    segments = [segment.split(b"|") for segment in _TIME.sub(shifted, message).split(b"\r")]
    for fields in segments:
        if fields[0] == b"MSH":
            fields[9] = name
        for segment, number in ((b"PID", 18), (b"PV1", 19)):
            if fields[0] == segment and len(fields) > number and fields[number]:
                _, delimiter, rest = fields[number].partition(b"^")
                fields[number] = name + delimiter + rest
    return b"\r".join(b"|".join(fields) for fields in segments)


def with_pdf(kilobytes: int = 300) -> bytes:
    """The sample admission with a PDF of about that size, base64 in an OBX of type ED."""
    content = b"%PDF-1.7 " + bytes(range(256)) * (kilobytes * 3)
    encoded = base64.b64encode(content).decode()[: kilobytes * 1024]
    return sample("admission") + f"OBX|4|ED|PDF^Report||^AP^PDF^Base64^{encoded}\r".encode()


def vaulted(
    raw: bytes, *, sender: str = "northgen", event_id: str = "", bucket: str = "vault"
) -> dict[str, Any]:
    """Stores the bytes as the receiver does and returns their envelope; `event_id` defaults to one of the bytes."""
    digest = hashlib.sha256(raw).hexdigest()
    event_id = event_id or digest[:32]
    key = f"events/{event_id}/message.hl7"
    answer = boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=raw)
    return {
        "event_id": event_id,
        "bucket": bucket,
        "key": key,
        "version_id": answer["VersionId"],
        "digest": RING.digest(digest),
        "bytes": len(raw),
        "received_at": "2026-11-23T13:15:02.113Z",
        "receiver": "task-1",
        "connection": "connection-1",
        "sender": sender,
    }


def envelope(event_id: str, **members: Any) -> Envelope:
    """The queue message of an event whose message need not be stored."""
    of_message = {"bucket": "vault", "key": "k", "version_id": "v", "bytes": 1}
    of_receipt = {"received_at": "2026-11-23T09:15:02.113Z", "receiver": "r", "connection": "c"}
    return Envelope(event_id, **{**of_message, **of_receipt, "sender": "northgen", **members})


def header_field(message: bytes, number: int) -> bytes:
    """A field of the MSH segment by its number in the standard, read without the code under test."""
    header = message.split(b"\r", 1)[0]
    fields = header.split(header[3:4]) if len(header) > 3 else []
    return fields[number - 1] if len(fields) >= number else b""
