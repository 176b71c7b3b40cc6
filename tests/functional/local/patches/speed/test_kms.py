"""KMS keys that share a private key answer as AWS documents it, and the asymmetric ones have their own."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.kms.models import kms_backends

from tests.support.stores import REGION

SYMMETRIC = {"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT"}
HMAC = {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}
RSA = {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}
ECC = {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}


def create(aws: Any, **key: str) -> str:
    """The id of a new key."""
    key_id: str = aws.client("kms").create_key(**key)["KeyMetadata"]["KeyId"]
    return key_id


def test_only_asymmetric_keys_have_a_private_key_of_their_own(aws: Any) -> None:
    keys = kms_backends[DEFAULT_ACCOUNT_ID][REGION].keys
    made = {
        (kind["KeySpec"], number): keys[create(aws, **kind)].private_key
        for kind in (SYMMETRIC, HMAC, RSA, ECC)
        for number in (1, 2)
    }
    assert len({id(key) for key in made.values()}) == 5


def test_two_symmetric_keys_do_not_open_what_the_other_closed(aws: Any) -> None:
    kms, (one, other) = aws.client("kms"), (create(aws, **SYMMETRIC) for _ in range(2))
    closed = kms.encrypt(KeyId=one, Plaintext=b"text")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=closed)["Plaintext"] == b"text"
    with pytest.raises(ClientError):
        kms.decrypt(KeyId=other, CiphertextBlob=closed)


def test_two_hmac_keys_give_different_codes(aws: Any) -> None:
    kms = aws.client("kms")
    codes = {
        kms.generate_mac(KeyId=create(aws, **HMAC), Message=b"text", MacAlgorithm="HMAC_SHA_256")[
            "Mac"
        ]
        for _ in range(2)
    }
    assert len(codes) == 2


@pytest.mark.parametrize(
    ("kind", "algorithm"), [(RSA, "RSASSA_PSS_SHA_256"), (ECC, "ECDSA_SHA_256")]
)
def test_a_signature_is_verified_by_its_own_key_alone(
    kind: dict[str, str], algorithm: str, aws: Any
) -> None:
    kms, (one, other) = aws.client("kms"), (create(aws, **kind) for _ in range(2))
    asked = {"Message": b"text", "SigningAlgorithm": algorithm}
    signature = kms.sign(KeyId=one, **asked)["Signature"]
    assert kms.verify(KeyId=one, Signature=signature, **asked)["SignatureValid"]
    assert not kms.verify(KeyId=other, Signature=signature, **asked)["SignatureValid"]
