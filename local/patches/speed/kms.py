"""Share one RSA key between the KMS keys that have no use for it.

moto makes an RSA key of 2048 bits for each symmetric or HMAC key too, which takes 45 ms. AWS's operations
that use it (Sign, Verify, GetPublicKey) take asymmetric keys alone.
https://docs.aws.amazon.com/kms/latest/APIReference/API_GetPublicKey.html
"""

from functools import lru_cache

from moto.kms import models
from moto.kms.utils import AbstractPrivateKey, KeySpec, generate_private_key

from local.patches.patching import replace

OWN = (*KeySpec.rsa_key_specs(), *KeySpec.ecc_key_specs())
"""The specifications of asymmetric keys, each of which has a private key of its own."""

_shared = lru_cache(maxsize=1)(generate_private_key)


def install() -> None:
    """Shares that key in this process's moto; calling it again changes nothing."""
    replace(models, "generate_private_key", _private_key)


def _private_key(key_spec: str) -> AbstractPrivateKey:
    return generate_private_key(key_spec) if key_spec in OWN else _shared("")
