"""The reference key and the audit key: rings of keys as a secret holds them, and references made with them.

A secret is a JSON object: `{"current": "k1", "k1": "<random text>", ...}`. A rotation adds a key and
sets `current`. Values made with older keys stay verifiable, because each carries its key's id.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass, field

from lambdas.common.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys of one secret by their ids."""

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

    def reference(self, kind: str, *parts: str) -> str:
        """Returns the reference of an identifier: `<key id>.<32 hex digits>`.

        `kind` distinguishes a patient and a recipient with the same number. JSON keeps lists of parts
        distinct (docs/architecture.md#audit-and-references).
        """
        data = json.dumps([kind, *parts], ensure_ascii=False, separators=(",", ":")).encode()
        return f"{self.current}.{self.mac(data)[:32]}"
