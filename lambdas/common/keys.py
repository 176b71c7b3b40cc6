"""The reference key and the audit key: rings of keys as a secret holds them, and references made with them.

A secret is a JSON object: `{"current": "k1", "k1": "<random text>", ...}`. A rotation adds a key, and half
an hour later sets `current` (docs/deploy.md#audit-key-and-reference-key). Values made with older keys stay
verifiable, because each carries its key's id (docs/adr/0281-rotation-of-the-reference-key.md).
"""

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from lambdas.common.errors import ConfigurationError

MAX_KEYS_TRIED = 4
"""Most keys under which a value is looked up, the current one among them: each costs a read."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys of one secret by their ids, the oldest first."""

    current: str
    keys: dict[str, bytes] = field(repr=False)

    @classmethod
    def from_secret(cls, text: str) -> "KeyRing":
        """Reads the keys from a secret's JSON text. Raises `ConfigurationError` when it has another shape."""
        try:
            document = json.loads(text)
            current = document.pop("current")
            keys = {key_id: secret.encode() for key_id, secret in document.items()}
        except (ValueError, KeyError, AttributeError, TypeError):
            raise ConfigurationError("a key secret is not a JSON object of keys") from None
        if current not in keys:
            raise ConfigurationError("a key secret lacks its current key")
        return cls(current=current, keys=keys)

    def mac(self, data: bytes, key_id: str | None = None) -> str:
        """HMAC-SHA256 of `data` in hex, with the named key, by default the current one."""
        return hmac.new(self.keys[key_id or self.current], data, hashlib.sha256).hexdigest()

    def reference(self, kind: str, *parts: str, key_id: str | None = None) -> str:
        """Returns the reference of an identifier: `<key id>.<32 hex digits>`.

        `kind` distinguishes a patient and a recipient with the same number. JSON keeps lists of parts
        distinct (docs/architecture.md#audit-and-references).
        """
        used = key_id or self.current
        data = json.dumps([kind, *parts], ensure_ascii=False, separators=(",", ":")).encode()
        return f"{used}.{self.mac(data, used)[:32]}"

    def references(self, kind: str, *parts: str) -> tuple[str, ...]:
        """The references of an identifier under each key that is tried, the current one first."""
        return tuple(self.reference(kind, *parts, key_id=key_id) for key_id in self.tried)

    def is_reference(self, reference: str, kind: str, *parts: str) -> bool:
        """Whether the reference is that of this identifier, under any key of the ring."""
        key_id = key_id_of(reference)
        if key_id not in self.keys:
            return False
        expected = self.reference(kind, *parts, key_id=key_id)
        # As bytes: texts outside ASCII raise TypeError.
        return hmac.compare_digest(reference.encode(), expected.encode())

    def digest(self, sha256: str) -> str:
        """The digest of a document outside the vault, from its SHA-256 in hex: a reference of kind `digest`.

        Short clinical documents can be guessed, and a plain hash would confirm a guess.
        """
        return self.reference("digest", sha256)

    def is_digest(self, digest: str, sha256: str) -> bool:
        """Whether the digest is that of the bytes with this SHA-256, under any key of the ring."""
        return self.is_reference(digest, "digest", sha256)

    @property
    def tried(self) -> tuple[str, ...]:
        """The ids of the keys under which values are looked up: the current one, then from new to old."""
        others = [key_id for key_id in reversed(self.keys) if key_id != self.current]
        return (self.current, *others)[:MAX_KEYS_TRIED]

    def under(self, key_ids: Iterable[str]) -> "KeyRing":
        """The ring with the first of these keys that it has as the current one; unchanged where it has none."""
        found = next((key_id for key_id in key_ids if key_id in self.keys), self.current)
        return replace(self, current=found)


def key_id_of(reference: str) -> str:
    """The id of the key that made a reference; "" where it names none."""
    return reference.rpartition(".")[0]
