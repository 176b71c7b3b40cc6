"""Errors of the receiver. Their texts name services, codes and positions only."""


class StoreUnavailableError(Exception):
    """S3 or SQS has not confirmed in time. The sender gets AR and sends the message again."""
