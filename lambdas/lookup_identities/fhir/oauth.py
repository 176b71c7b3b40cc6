"""OAuth2 client credentials with a signed assertion: SMART Backend Services, private_key_jwt.

https://hl7.org/fhir/smart-app-launch/backend-services.html; RFC 7523. The key signs as ES384 or RS384,
the two that every SMART server takes. `cryptography` is loaded with this module only.
"""

import base64
import json
import time
import uuid

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from lambdas.common.errors import ConfigurationError

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 240
"""Seconds an assertion is good for; SMART allows five minutes at most."""

P384_BYTES = 48

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def token_request(
    client_id: str, token_url: str, scope: str, key: str, key_id: str
) -> dict[str, str]:
    """The form to post to `token_url`; `ConfigurationError` when the key is no P-384 or RSA key as PEM."""
    return {
        "grant_type": "client_credentials",
        "scope": scope,
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion(client_id, token_url, key, key_id),
    }


def assertion(client_id: str, token_url: str, key: str, key_id: str) -> str:
    """The signed JWT by which a client authenticates (RFC 7523 3)."""
    now = int(time.time())
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": token_url,
        "exp": now + ASSERTION_SECONDS,
        "iat": now,
        "jti": uuid.uuid4().hex,
    }
    private = _private_key(key)
    algorithm = "RS384" if isinstance(private, rsa.RSAPrivateKey) else "ES384"
    header = {"alg": algorithm, "typ": "JWT", "kid": key_id}
    signed = f"{_part(json.dumps(header).encode())}.{_part(json.dumps(claims).encode())}"
    return f"{signed}.{_part(_signature(private, signed.encode()))}"


def _private_key(pem: str) -> PrivateKey:
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError):
        raise ConfigurationError(
            "the secret of ENS_MPI_SECRET: private_key is not an unencrypted private key in PEM"
        ) from None
    if isinstance(key, rsa.RSAPrivateKey):
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP384R1):
        return key
    raise ConfigurationError(
        "the secret of ENS_MPI_SECRET: private_key is neither an RSA nor a P-384 key"
    )


def _signature(key: PrivateKey, data: bytes) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), hashes.SHA384())
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA384())))
    return r.to_bytes(P384_BYTES) + s.to_bytes(P384_BYTES)


def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
