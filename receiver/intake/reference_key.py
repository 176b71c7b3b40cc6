"""Computes message group ids from patient identifiers, with the environment's reference key."""

import hmac
import json
from dataclasses import dataclass, field

from hl7.header import compact_json
from receiver.settings import SettingError


@dataclass(frozen=True, slots=True)
class ReferenceKey:
    """The current key of the reference secret, and its id."""

    key_id: str
    key: bytes = field(repr=False)

    @classmethod
    def from_secret(cls, text: str) -> "ReferenceKey":
        """Returns the current key of the secret's JSON (`{"current": "k1", "k1": "..."}`).

        Raises `SettingError` for another shape.
        """
        try:
            document = json.loads(text)
            current = document["current"]
            return cls(key_id=current, key=document[current].encode())
        except (ValueError, KeyError, TypeError, AttributeError):
            raise SettingError(
                'ENS_REFERENCE_KEY_SECRET: the secret is not JSON like {"current": "k1", "k1": "…"}'
            ) from None

    def reference(self, kind: str, *parts: str) -> str:
        """Returns the reference of an identifier: `<key id>.<32 hex digits>`.

        HMAC-SHA256 over the compact JSON of `[kind, *parts]`, as in `lambdas/common/keys.py`.
        """
        data = compact_json([kind, *parts]).encode()
        return f"{self.key_id}.{hmac.digest(self.key, data, 'sha256').hex()[:32]}"
