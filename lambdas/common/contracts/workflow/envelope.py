"""The queue message."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Envelope:
    """The queue message: the location of the stored message, and nothing about the patient.

    `digest` is keyed (`KeyRing.digest`). A message of an earlier version holds a plain `sha256` instead.
    docs/architecture.md#queue-message
    """

    event_id: str
    bucket: str
    key: str
    version_id: str
    bytes: int
    received_at: str
    receiver: str
    connection: str
    sender: str
    replay: str = ""
    digest: str = ""
    sha256: str = ""
