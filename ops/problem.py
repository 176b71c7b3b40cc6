"""Turns an expected failure of `ens` into one sentence: the cause and the remedy."""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

from environments import EnvironmentFileError
from lambdas.common.aws.clients import is_transient
from lambdas.common.errors import DependencyUnavailableError, EnsError

SIGN_IN = "sign in (for example `aws sso login`) or set AWS_PROFILE"
SIGN_IN_CALLS = ("AssumeRole", "AssumeRoleWithWebIdentity", "GetRoleCredentials")
"""The calls by which a profile gets its role's credentials."""

EXPIRED_CODES = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "RequestExpired",
        "UnrecognizedClientException",
    }
)
SIGNATURE_CODES = frozenset(
    {
        "AuthFailure",
        "IncompleteSignature",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
    }
)
# "403" is the whole answer of S3 to a HEAD request; the Kms codes are of a store whose key is denied.
DENIED_CODES = frozenset(
    {
        "403",
        "AccessDenied",
        "AccessDeniedException",
        "Forbidden",
        "KMSAccessDeniedException",
        "KmsAccessDenied",
        "KmsAccessDeniedException",
        "UnauthorizedOperation",
    }
)
_AGAIN = " (AWS throttles the call or does not answer: try again in a minute)"

NOT_ENABLED_CODES = frozenset({"OptInRequired", "SubscriptionRequiredException"})


class ProblemError(Exception):
    """Raised for a problem that an operator can solve. Its text is shown as it is."""


class DeniedError(ProblemError):
    """A right is missing, and the text says more than the call's name."""


FAILURES = (
    ProblemError,
    EnvironmentFileError,
    EnsError,
    ClientError,
    BotoCoreError,
    ResponseParserError,
    OSError,
)
"""The expected failures. Any other exception is a fault of `ens` and shows its traceback."""


def sentence(error: BaseException) -> str:
    """Returns one sentence for an expected failure: the cause and the remedy.

    It leaves out the service's own message, which may quote the request.
    """
    match error:
        case ProblemError() | EnvironmentFileError():
            return str(error)
        case ClientError():
            return _error_response(error)
        case BotoCoreError() | ResponseParserError():
            return _no_response(error)
        case EnsError():
            again = _AGAIN if isinstance(error, DependencyUnavailableError) else ""
            return f"{type(error).__name__}: {error}{again}."
        case OSError():
            return f"{error.filename or 'Input or output'}: {error.strerror or error}."
        case _:
            return f"{type(error).__name__}."


def is_denied(error: BaseException) -> bool:
    """Whether AWS refused a call for lack of a right, after the person had signed in."""
    if isinstance(error, ClientError):
        return _code(error) in DENIED_CODES and error.operation_name not in SIGN_IN_CALLS
    return isinstance(error, DeniedError)


def _no_response(error: BotoCoreError | ResponseParserError) -> str:
    """The sentence for a call without a response of AWS: no credentials, no region, no network, a proxy."""
    match error:
        case NoCredentialsError() | PartialCredentialsError():
            return f"No AWS credentials were found: {SIGN_IN}."
        case SSOError() | TokenRetrievalError() | CredentialRetrievalError():
            return f"The AWS sign-in has expired, or gives no credentials: {SIGN_IN}."
        case ProfileNotFound():
            return "The AWS profile in AWS_PROFILE is not in your AWS configuration."
        case NoRegionError():
            return "No AWS region is set: set AWS_DEFAULT_REGION, or a region in your AWS profile."
        case HTTPClientError() | ConnectionError() | ResponseParserError():
            return (
                f"AWS did not answer ({type(error).__name__}): check the network and its proxy, then"
                " try again."
            )
        case _:
            return f"The AWS client failed ({type(error).__name__}): check your AWS configuration."


def _error_response(error: ClientError) -> str:
    code = _code(error)
    if code in EXPIRED_CODES:
        return f"AWS does not accept these credentials ({code}): {SIGN_IN}."
    if code in SIGNATURE_CODES:
        return (
            f"AWS does not accept the signature ({code}): check the secret access key, and that the"
            " clock of this machine is right."
        )
    if code in DENIED_CODES:
        if error.operation_name in SIGN_IN_CALLS:
            return (
                f"You may not take the role of this AWS profile ({error.operation_name}, {code}): sign in"
                " with MFA, or have your own role named below [people] of the environment's file."
            )
        return f"These credentials may not call {error.operation_name} ({code})."
    if code in NOT_ENABLED_CODES:
        return (
            f"The account may not use the service of {error.operation_name} ({code}): complete its"
            " registration with AWS, or enable the region for it."
        )
    again = _AGAIN if is_transient(error) else ""
    return f"AWS answered {error.operation_name} with {code or 'an error without a code'}{again}."


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
