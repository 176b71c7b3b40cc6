"""What goes wrong at an operator's desk, each as one sentence that says what to do."""

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
    """Something an operator can mend; its text is the one sentence to show."""


FAILURES = (ProblemError, EnsError, ClientError, BotoCoreError, OSError)
"""What `sentence` can put into words. Anything else is a fault of ours and deserves its traceback."""


def sentence(error: BaseException) -> str:
    """One sentence for a failure: what is wrong and what to do.

    Never a service's own message, which may quote what it was sent.
    """
    match error:
        case ProblemError():
            return str(error)
        case ClientError():
            return _refusal(error)
        case BotoCoreError():
            return _unreached(error)
        case EnsError():
            return f"{type(error).__name__}: {error}."
        case OSError():
            return f"{error.filename or 'Input or output'}: {error.strerror or error}."
        case _:
            return f"{type(error).__name__}."


def _unreached(error: BotoCoreError) -> str:
    """A call that never got an answer: no credentials, no region, no network."""
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


def _refusal(error: ClientError) -> str:
    code = error.response.get("Error", {}).get("Code", "")
    if code in EXPIRED_CODES:
        return f"AWS does not accept these credentials ({code}): {SIGN_IN}."
    if code in DENIED_CODES:
        return f"These credentials may not call {error.operation_name} ({code})."
    return f"AWS refused {error.operation_name}: {code or 'no code given'}."
