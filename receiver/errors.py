"""The errors the receiver raises on purpose. Their texts name services, codes and places only."""


class StoreUnavailableError(Exception):
    """S3 or SQS has not confirmed. The sender is told AR and sends the message again."""
