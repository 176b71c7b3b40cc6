"""Turns an expected failure of `ens` into one sentence: the cause and the remedy."""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from lambdas.common.errors import EnsError

SIGN_IN = "sign in (for example `aws sso login`) or set AWS_PROFILE"

EXPIRED_CODES = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "RequestExpired",
        "UnrecognizedClientException",
    }
)
DENIED_CODES = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})


class ProblemError(Exception):
    """Raised for a problem that an operator can solve. Its text is shown as it is."""


FAILURES = (ProblemError, EnsError, ClientError, BotoCoreError, OSError)
"""The expected failures. Any other exception is a fault of `ens` and shows its traceback."""


def sentence(error: BaseException) -> str:
    """Returns one sentence for an expected failure: the cause and the remedy.

    It leaves out the service's own message, which may quote the request.
    """
    match error:
        case ProblemError():
            return str(error)
        case ClientError():
            return _error_response(error)
        case BotoCoreError():
            return _no_response(error)
        case EnsError():
            return f"{type(error).__name__}: {error}."
        case OSError():
            return f"{error.filename or 'Input or output'}: {error.strerror or error}."
        case _:
            return f"{type(error).__name__}."


def _no_response(error: BotoCoreError) -> str:
    """The sentence for a call without a response: no credentials, no region, no network."""
    match error:
        case NoCredentialsError() | PartialCredentialsError():
            return f"No AWS credentials were found: {SIGN_IN}."
        case SSOError() | TokenRetrievalError():
            return f"The AWS sign-in has expired: {SIGN_IN}."
        case ProfileNotFound():
            return "The AWS profile in AWS_PROFILE is not in your AWS configuration."
        case NoRegionError():
            return "No AWS region is set: set AWS_REGION, or a region in your AWS profile."
        case HTTPClientError() | ConnectionError():
            return (
                f"AWS did not answer ({type(error).__name__}): check the network, then try again."
            )
        case _:
            return f"The AWS client failed ({type(error).__name__}): check your AWS configuration."


def _error_response(error: ClientError) -> str:
    code = error.response.get("Error", {}).get("Code", "")
    if code in EXPIRED_CODES:
        return f"AWS does not accept these credentials ({code}): {SIGN_IN}."
    if code in DENIED_CODES:
        return f"These credentials may not call {error.operation_name} ({code})."
    return f"AWS answered {error.operation_name} with {code or 'an error without a code'}."
