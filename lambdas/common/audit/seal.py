"""Seals the head of an audit chain with an HMAC key of AWS KMS, and verifies such seals.

Writers may call GenerateMac and not VerifyMac, the verifier VerifyMac and not GenerateMac. The key never
leaves KMS: an attacker who may write the table cannot make a head.
https://docs.aws.amazon.com/kms/latest/developerguide/hmac.html
"""

import json

from botocore.exceptions import ClientError

from lambdas.common.aws.clients import dependency
from lambdas.common.aws.items import Item
from lambdas.common.errors import ConfigurationError
from lambdas.common.function.context import Context

ALGORITHM = "HMAC_SHA_256"
_PURPOSE = "audit-head"
_INVALID = frozenset({"KMSInvalidMacException", "InvalidMacException"})


def seal(context: Context, event_id: str, seq: int, entry_hash: str) -> dict[str, str]:
    """Returns the attributes `seal` (hex) and `seal_key` of the head after this entry.

    Raises `DependencyUnavailableError` when KMS does not answer, `ConfigurationError` without a key.
    """
    key = context.settings.audit_seal_key
    if not key:
        raise ConfigurationError("ENS_AUDIT_SEAL_KEY is not set")
    with dependency("kms"):
        answer = context.client("kms").generate_mac(
            KeyId=context.settings.audit_seal_key,
            MacAlgorithm=ALGORITHM,
            Message=_message(event_id, seq, entry_hash),
        )
    return {"seal": answer["Mac"].hex(), "seal_key": key}


def is_sealed(context: Context, head: Item) -> bool:
    """Whether the head's seal is valid, and by one of the environment's keys.

    Raises `DependencyUnavailableError` when KMS does not answer.
    """
    key = str(head.get("seal_key", ""))
    if key not in context.settings.seal_keys:
        return False
    message = _message(str(head["event_id"]), int(head.get("seq", 0)), str(head.get("hash", "")))
    try:
        mac = bytes.fromhex(str(head.get("seal", "")))
        with dependency("kms"):
            context.client("kms").verify_mac(
                KeyId=key, MacAlgorithm=ALGORITHM, Message=message, Mac=mac or b"\0"
            )
    except ValueError:
        return False
    except ClientError as error:
        if error.response["Error"]["Code"] in _INVALID:
            return False
        raise
    return True


def _message(event_id: str, seq: int, entry_hash: str) -> bytes:
    return json.dumps([_PURPOSE, event_id, seq, entry_hash], separators=(",", ":")).encode()
