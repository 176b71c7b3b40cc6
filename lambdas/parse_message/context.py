"""The settings and the context of ParseMessage."""

from dataclasses import dataclass

from lambdas.common.function.context import Context
from lambdas.common.function.settings import Settings, setting, whole
from lambdas.parse_message.segments.documents import DOCUMENT_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class ParseSettings(Settings):
    """`document_bytes` limits the documents of one message (ENS_DOCUMENT_BYTES)."""

    document_bytes: int = setting(whole, "ENS_DOCUMENT_BYTES", DOCUMENT_BYTES)


@dataclass(frozen=True)
class ParseContext(Context):
    """The context of every step, with the settings of ParseMessage."""

    settings: ParseSettings
