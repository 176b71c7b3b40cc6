"""Settings of ParseMessage beyond those of all steps."""

from dataclasses import dataclass
from typing import Self

from lambdas.common.function.settings import Settings, shared, whole
from lambdas.parse_message.segments.documents import DOCUMENT_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class ParseSettings(Settings):
    """`document_bytes` limits the documents of one message (ENS_DOCUMENT_BYTES)."""

    document_bytes: int = DOCUMENT_BYTES

    @classmethod
    def from_environment(cls) -> Self:
        """The settings in the environment variables; `ConfigurationError` names one that is wrong."""
        return cls(**shared(), document_bytes=whole("ENS_DOCUMENT_BYTES", DOCUMENT_BYTES))
