"""The context of ParseMessage."""

from dataclasses import dataclass

from lambdas.common.context import Context
from lambdas.parse_message.settings import ParseSettings


@dataclass(frozen=True)
class ParseContext(Context):
    """What every step has, with the settings of this one."""

    settings: ParseSettings
