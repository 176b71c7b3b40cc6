"""The errors a step may end with. Step Functions matches them by class name, leaf names only.

An error text names a position ("PID-3 is empty"), never a value: it ends in the execution's cause.
"""


class EnsError(Exception):
    """The base of every error that a step raises on purpose; never raised itself."""


class DependencyUnavailableError(EnsError):
    """A service throttles, is slow or is down. Transient: the workflow retries."""


class UnprocessableMessageError(EnsError):
    """The message is not readable as HL7 v2, or lacks what a patient event must have."""


class IdentityAmbiguousError(EnsError):
    """The MDM knows more than one patient that fits. A person decides."""


class IdentityConflictError(EnsError):
    """The MDM's patient contradicts the message. A person decides."""


class IdentityNotFoundError(EnsError):
    """The MDM knows nobody with these identifiers."""


class ConfigurationError(EnsError):
    """A setting is missing or wrong, or the sender is not one we know. An operator mends it."""


class DeliveryRefusedError(EnsError):
    """One recipient's address or content was refused for good."""


class UnexpectedError(EnsError):
    """A fault of our own: the type, file and line of an exception nobody planned, without its text."""


PERMANENT_ERRORS = (
    UnprocessableMessageError,
    IdentityAmbiguousError,
    IdentityConflictError,
    IdentityNotFoundError,
    ConfigurationError,
)
"""What no retry can mend: the workflow sends the message to the dead-letter queue at once."""
