"""The two secret keys of an environment, as Secrets Manager holds them, and the references they make.

A secret is a JSON object: `{"current": "k1", "k1": "<random text>", ...}`. Rotation adds a key and
moves `current`; values made with older keys stay verifiable, because each carries its key's id.
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
        """The ring in a secret's JSON text; `ConfigurationError` where it has not that shape."""
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
        """HMAC-SHA256 of `data` in hex, with the key named or else the current one."""
        return hmac.new(self.keys[key_id or self.current], data, hashlib.sha256).hexdigest()

    def reference(self, kind: str, *parts: str) -> str:
        """A stable stand-in for an identifier: `<key id>.<32 hex digits>`.

        `kind` keeps a patient and a recipient with the same number apart; the parts are joined
        so that no two lists of parts give the same text.
        """
        data = json.dumps([kind, *parts], ensure_ascii=False, separators=(",", ":")).encode()
        return f"{self.current}.{self.mac(data)[:32]}"


@cache
def reference_keys() -> KeyRing:
    """The ring that makes patient, encounter and recipient references."""
    return _load(settings().reference_key_secret)


@cache
def audit_keys() -> KeyRing:
    """The ring that seals the audit chain."""
    return _load(settings().audit_key_secret)


def _load(secret_id: str) -> KeyRing:
    with dependency("secretsmanager"):
        answer = client("secretsmanager").get_secret_value(SecretId=secret_id)
    return KeyRing.from_secret(answer["SecretString"])
