"""The seal of a chain's head: an HMAC-SHA-256 that another implementation computes alike."""

from cryptography.hazmat.primitives import hashes, hmac
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.kms.models import kms_backends

from lambdas.common.audit import chain, seal
from lambdas.common.audit.canonical import HEAD
from lambdas.delivery.ledger.context import LedgerContext
from tests.support.audit import entry
from tests.support.stores import REGION

EVENT = "5e" * 16


def test_the_seal_is_the_hmac_of_event_number_and_hash_under_the_key_in_kms(
    context: LedgerContext,
) -> None:
    """RFC 2104 as `cryptography` implements it, with the key material that only moto gives away."""
    for action in ("RECEIVED", "PARSED"):
        chain.append(context, EVENT, entry("ParseMessage", action))
    (head,) = (item for item in chain.items(context, EVENT) if item["sk"] == HEAD)
    kms = kms_backends[DEFAULT_ACCOUNT_ID][REGION]
    key = kms.keys[kms.any_id_to_key_id(head["seal_key"])].key_material
    mac = hmac.HMAC(key, hashes.SHA256())
    mac.update(f'["audit-head","{EVENT}",2,"{head["hash"]}"]'.encode())
    assert head["seal"] == mac.finalize().hex()
    assert seal.is_sealed(context, head)
    for change in ({"event_id": "6e" * 16}, {"seq": 1}, {"hash": "0" * 64}, {"seal": "00" * 32}):
        assert not seal.is_sealed(context, {**head, **change}), change
