"""Settings of ParseMessage beyond those of all steps."""

from functools import cache

from lambdas.common.settings import number
from lambdas.parse_message.documents import DOCUMENT_BYTES


@cache
def document_bytes() -> int:
    """Limit for the documents of one message, in bytes (ENS_DOCUMENT_BYTES)."""
    return int(number("ENS_DOCUMENT_BYTES", DOCUMENT_BYTES))
