"""The reference to a document in the vault."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Written:
    """A stored document as the audit records it: key, version, keyed digest (`KeyRing.digest`).

    Entries of earlier versions hold a plain `sha256` in its place; nothing writes it now.
    """

    key: str
    version_id: str
    digest: str = ""
    sha256: str = ""
