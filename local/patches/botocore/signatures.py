"""Name the caller in a request to the loopback address, and compute no signature.

The local AWS reads the credential's scope and the session token, and verifies no signature: hashing
a request and deriving the key were a sixth of the CPU time of a call. Other hosts get the signature, and
so do presigned URLs, which name the caller in the query.
"""

from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.compat import get_current_datetime

from local.patches.botocore.transport import HOST
from local.patches.patching import replace

_add_auth = SigV4Auth.add_auth


def install() -> None:
    """Changes the signatures of this process's botocore; calling it again changes nothing."""
    if SigV4Auth.add_auth is _add_auth:
        replace(SigV4Auth, "add_auth", _add_scope)


def _add_scope(auth: SigV4Auth, request: AWSRequest) -> None:
    """Adds the headers of a signed request. Raises `NoCredentialsError` without credentials."""
    here = request.url.startswith(f"http://{HOST}:")
    if auth.credentials is None or not here or isinstance(auth, SigV4QueryAuth):
        _add_auth(auth, request)
        return
    request.context["timestamp"] = get_current_datetime().strftime(SIGV4_TIMESTAMP)
    auth._modify_request_before_signing(request)
    request.headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={auth.scope(request)}, SignedHeaders=host, Signature="
    )
