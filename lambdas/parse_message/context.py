"""The context of ParseMessage."""

from dataclasses import dataclass

from lambdas.common.function.context import Context
from lambdas.parse_message.settings import ParseSettings


@dataclass(frozen=True)
class ParseContext(Context):
    """The context of every step, with the settings of ParseMessage."""

    settings: ParseSettings
