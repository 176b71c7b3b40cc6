"""Reads the reference key and the audit key from Secrets Manager, and makes references.

A secret is a JSON object: `{"current": "k1", "k1": "<random text>", ...}`. A rotation adds a key and
sets `current`. Values made with older keys stay verifiable, because each carries its key's id.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from functools import cache

from lambdas.common.aws.clients import client, dependency
from lambdas.common.errors import ConfigurationError
from lambdas.common.settings import settings


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


@cache
def reference_keys() -> KeyRing:
    """The keys that make patient, encounter and recipient references."""
    return _load(settings().reference_key_secret)


@cache
def audit_keys() -> KeyRing:
    """The keys that seal the audit chain."""
    return _load(settings().audit_key_secret)


def _load(secret_id: str) -> KeyRing:
    with dependency("secretsmanager"):
        answer = client("secretsmanager").get_secret_value(SecretId=secret_id)
    return KeyRing.from_secret(answer["SecretString"])
