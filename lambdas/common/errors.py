"""Errors with which a step may end. Step Functions matches them by class name, without base classes.

An error text names a position ("PID-3 is empty"), never a value: it becomes the execution's cause.
Their handling by the workflow: docs/architecture.md#errors.
"""


class EnsError(Exception):
    """Base class of the errors below; never raised itself."""


class DependencyUnavailableError(EnsError):
    """A service throttles, times out or is down, or a deployment has not ended for this function.

    Transient: the workflow retries.
    """


class UnprocessableMessageError(EnsError):
    """The message is not readable as HL7 v2, or lacks a required part of a patient event."""


class IdentityAmbiguousError(EnsError):
    """The registry or MPI has more than one patient that fits. A person decides."""


class IdentityConflictError(EnsError):
    """The patient of the registry or MPI contradicts the message. A person decides."""


class IdentityNotFoundError(EnsError):
    """The registry or MPI has no patient with these identifiers."""


class ContractError(EnsError):
    """A document or a step's input does not fit its contract. The text names the member."""


class ConfigurationError(EnsError):
    """A setting is missing or wrong. An operator corrects it."""


class DeliveryRefusedError(EnsError):
    """One recipient's address or content was refused for good."""


class UnexpectedError(EnsError):
    """A fault of this system: the type, file and line of another exception, without its text."""


PERMANENT_ERRORS = (
    UnprocessableMessageError,
    IdentityAmbiguousError,
    IdentityConflictError,
    IdentityNotFoundError,
    ConfigurationError,
)
"""Errors that recur on every retry: the workflow sends the message to the dead-letter queue at once."""

DETERMINISTIC_STEPS = frozenset({"ParseMessage", "TrackEncounter"})
"""Steps whose result depends on the message alone, so that the same bytes fail the same way each time."""

DETERMINISTIC_ERRORS = (UnexpectedError, ContractError)
"""Permanent in those steps: a retry would hold the patient's message group for hours."""


def is_permanent(error_name: str, step: str) -> bool:
    """Whether the workflow sends a message with this error of this step to the dead-letter queue at once."""
    if step in DETERMINISTIC_STEPS and error_name in {e.__name__ for e in DETERMINISTIC_ERRORS}:
        return True
    return error_name in {error.__name__ for error in PERMANENT_ERRORS}
