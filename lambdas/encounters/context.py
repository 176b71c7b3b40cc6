"""The context of a function that uses the encounters table."""

from dataclasses import dataclass
from typing import Protocol

from lambdas.common.aws.clients import HasClients
from lambdas.common.function.context import Context
from lambdas.common.function.settings import Settings, required, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class EncountersSettings(Settings):
    """`encounters_table` is the name of the table (ENS_ENCOUNTERS_TABLE)."""

    encounters_table: str = setting(required, "ENS_ENCOUNTERS_TABLE")


@dataclass(frozen=True)
class EncountersContext(Context):
    """A step's context with the name of the encounters table."""

    settings: EncountersSettings


class NamesEncounters(Protocol):
    """Settings with the table's name."""

    @property
    def encounters_table(self) -> str:
        """The name of the table."""


class UsesEncounters(HasClients, Protocol):
    """The context of a function that uses the table."""

    @property
    def settings(self) -> NamesEncounters:
        """The function's settings."""
