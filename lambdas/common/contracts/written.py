"""The reference to a document in the vault."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Written:
    """A stored document as the audit records it: key, version, SHA-256 in hex."""

    key: str
    version_id: str
    sha256: str
