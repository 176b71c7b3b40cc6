"""Settings of ExtractEntities beyond those of all steps."""

from dataclasses import dataclass
from typing import Self

from lambdas.common.contracts.recipients.preferences import CostMode
from lambdas.common.function.settings import Settings, choice, number, required, shared, whole

RATE = 40
"""Default of ENS_COMPREHEND_RATE: the account's requests a second."""

CHARACTERS = 40_000
"""Default of ENS_COMPREHEND_CHARACTERS: the account's characters a second."""

WAIT_SECONDS = 90
"""Default of ENS_FINDINGS_WAIT_SECONDS: seconds that an event may wait for its turn."""

CACHE_DAYS = 30
"""Default of ENS_CACHE_DAYS: days for which an analysis is used again; 0: no cache."""

FULL_IN_CLEAR = ("allowed", "forbidden")
"""Values of ENS_FULL_IN_CLEAR."""

TEXT_LIMIT = 50_000
"""Default of ENS_TEXT_LIMIT: characters of one event that are analysed."""


@dataclass(frozen=True, slots=True)
class Quota:
    """The account's quota of each operation: requests and characters a second."""

    requests: float
    characters: float

    def seconds_for(self, characters: int) -> float:
        """Seconds of the quota that one request of this many characters uses."""
        return max(1 / self.requests, characters / self.characters)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractSettings(Settings):
    """Settings of ExtractEntities.

    `cost_mode` is the richest mode of any event. `quota` is the account's quota of each operation, shared
    by all functions of the environment. An event may wait for its turn until `wait_seconds` after the start of
    its workflow. `cache_days` are the days for which an analysis is used again for the same note.
    `text_limit` are the characters of one event that are analysed. `full_in_clear` says whether full
    detail is sent without encryption.
    """

    ledger_table: str
    cost_mode: CostMode
    quota: Quota = Quota(RATE, CHARACTERS)
    wait_seconds: float = WAIT_SECONDS
    cache_days: float = CACHE_DAYS
    text_limit: int = TEXT_LIMIT
    full_in_clear: bool = True

    @classmethod
    def from_environment(cls) -> Self:
        """The settings in the environment variables; `ConfigurationError` names one that is wrong."""
        return cls(
            **shared(),
            ledger_table=required("ENS_LEDGER_TABLE"),
            cost_mode=CostMode(choice("ENS_COST_MODE", tuple(CostMode))),
            quota=Quota(
                requests=number("ENS_COMPREHEND_RATE", RATE) or RATE,
                characters=number("ENS_COMPREHEND_CHARACTERS", CHARACTERS) or CHARACTERS,
            ),
            wait_seconds=number("ENS_FINDINGS_WAIT_SECONDS", WAIT_SECONDS),
            cache_days=number("ENS_CACHE_DAYS", CACHE_DAYS),
            text_limit=whole("ENS_TEXT_LIMIT", TEXT_LIMIT),
            full_in_clear=choice("ENS_FULL_IN_CLEAR", FULL_IN_CLEAR, "allowed") == "allowed",
        )
