"""Errors of the receiver. Their texts hold service names, error codes and positions only."""


class StoreUnavailableError(Exception):
    """Raised when S3 or SQS has not confirmed in time. The sender gets AR and sends the message again.

    `is_final` says that the service has refused the call, and would refuse it again.
    """

    is_final = False


class BackgroundTaskError(Exception):
    """Raised when a background task that the receiver cannot do without keeps failing."""
