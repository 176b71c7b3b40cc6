"""What this step reads from its environment beyond what all steps do."""

from functools import cache

from lambdas.common.settings import number
from lambdas.parse_message.documents import DOCUMENT_BYTES


@cache
def document_bytes() -> int:
    """How many bytes of a message's documents are taken (ENS_DOCUMENT_BYTES)."""
    return int(number("ENS_DOCUMENT_BYTES", DOCUMENT_BYTES))
