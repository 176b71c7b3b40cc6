"""Seals the head of an audit chain with an HMAC key of AWS KMS, and verifies such seals.

Writers may call GenerateMac and not VerifyMac, the verifier VerifyMac and not GenerateMac. The key never
leaves KMS: an attacker who may write the table cannot make a head.
https://docs.aws.amazon.com/kms/latest/developerguide/hmac.html
"""

import json
import re

from botocore.exceptions import ClientError

from lambdas.common.audit.forms import number_of, text_of
from lambdas.common.aws.clients import dependency
from lambdas.common.aws.items import Item
from lambdas.common.errors import DependencyUnavailableError
from lambdas.common.function.context import Context

ALGORITHM = "HMAC_SHA_256"
MAX_MESSAGE = 4096
"""Most bytes of a message of GenerateMac and VerifyMac.
https://docs.aws.amazon.com/kms/latest/APIReference/API_VerifyMac.html"""
_PURPOSE = "audit-head"
_HEX_OF_32_BYTES = re.compile("[0-9a-f]{64}")
_INVALID = frozenset({"KMSInvalidMacException", "InvalidMacException"})


def seal(context: Context, event_id: str, seq: int, entry_hash: str) -> dict[str, str]:
    """Returns the attributes `seal` (hex) and `seal_key` of the head after this entry.

    Raises `DependencyUnavailableError` when KMS does not answer, and without a key.
    """
    key = context.settings.audit_seal_key
    if not key:
        raise DependencyUnavailableError("ENS_AUDIT_SEAL_KEY is not set")
    with dependency("kms"):
        answer = context.client("kms").generate_mac(
            KeyId=key, MacAlgorithm=ALGORITHM, Message=_message(event_id, seq, entry_hash)
        )
    return {"seal": answer["Mac"].hex(), "seal_key": key}


def is_sealed(context: Context, head: Item) -> bool:
    """Whether the head's seal is valid, and by one of the environment's keys.

    Raises `DependencyUnavailableError` when KMS does not answer.
    """
    key, mac = text_of(head, "seal_key"), text_of(head, "seal")
    if key not in context.settings.seal_keys or not _HEX_OF_32_BYTES.fullmatch(mac):
        return False
    if not number_of(head) or not _HEX_OF_32_BYTES.fullmatch(text_of(head, "hash")):
        return False
    message = _message(str(head["event_id"]), number_of(head), head["hash"])
    if len(message) > MAX_MESSAGE:
        return False
    try:
        with dependency("kms"):
            context.client("kms").verify_mac(
                KeyId=key, MacAlgorithm=ALGORITHM, Message=message, Mac=bytes.fromhex(mac)
            )
    except ClientError as error:
        if error.response["Error"]["Code"] in _INVALID:
            return False
        raise
    return True


def _message(event_id: str, seq: int, entry_hash: str) -> bytes:
    return json.dumps([_PURPOSE, event_id, seq, entry_hash], separators=(",", ":")).encode()
