"""The settings and the context of ExtractEntities."""

from dataclasses import dataclass
from functools import cached_property

from lambdas.common.contracts.recipients.preferences import CostMode
from lambdas.common.function.context import Context
from lambdas.common.function.settings import (
    ReadSettings,
    Settings,
    choice,
    full_in_clear,
    number,
    required,
    setting,
    whole,
)
from lambdas.extract_entities.notes.language import Detector, load_detector

RATE = 40
"""Default of ENS_COMPREHEND_RATE: the account's requests a second."""

CHARACTERS = 40_000
"""Default of ENS_COMPREHEND_CHARACTERS: the account's characters a second."""

WAIT_SECONDS = 90
"""Default of ENS_FINDINGS_WAIT_SECONDS: seconds that an event may wait for its turn."""

CACHE_DAYS = 30
"""Default of ENS_CACHE_DAYS: days for which an analysis is used again; 0: no cache."""

TEXT_LIMIT = 50_000
"""Default of ENS_TEXT_LIMIT: characters of one event that are analysed."""


@dataclass(frozen=True, slots=True)
class Quota(ReadSettings):
    """The account's quota of each operation: requests and characters a second."""

    requests: float = setting(lambda: number("ENS_COMPREHEND_RATE", RATE) or RATE)
    characters: float = setting(
        lambda: number("ENS_COMPREHEND_CHARACTERS", CHARACTERS) or CHARACTERS
    )

    def seconds_for(self, characters: int) -> float:
        """Seconds of the quota that one request of this many characters uses."""
        return max(1 / self.requests, characters / self.characters)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractSettings(Settings):
    """Settings of ExtractEntities.

    `cost_mode` is the richest mode of any event. `quota` is the account's quota of each operation, shared
    by all functions of the environment. An event may wait for its turn until `wait_seconds` after the start
    of its workflow. `cache_days` are the days for which an analysis is used again for the same note.
    `text_limit` are the characters of one event that are analysed. `full_in_clear` says whether full detail
    is sent without encryption.
    """

    ledger_table: str = setting(required, "ENS_LEDGER_TABLE")
    cost_mode: CostMode = setting(lambda: CostMode(choice("ENS_COST_MODE", tuple(CostMode))))
    quota: Quota = setting(Quota.from_environment, default=Quota(RATE, CHARACTERS))
    wait_seconds: float = setting(number, "ENS_FINDINGS_WAIT_SECONDS", WAIT_SECONDS)
    cache_days: float = setting(number, "ENS_CACHE_DAYS", CACHE_DAYS)
    text_limit: int = setting(whole, "ENS_TEXT_LIMIT", TEXT_LIMIT)
    full_in_clear: bool = setting(full_in_clear, default=True)


@dataclass(frozen=True)
class ExtractContext(Context):
    """The context of every step, with the model that detects a text's language."""

    settings: ExtractSettings

    @cached_property
    def detector(self) -> Detector:
        """The model, loaded at the first text."""
        return load_detector()
