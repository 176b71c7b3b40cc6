"""Settings of ExtractEntities beyond those of all steps."""

import os
from functools import cache

from lambdas.common.contracts.preferences import CostMode
from lambdas.common.errors import ConfigurationError
from lambdas.common.settings import number, required
from lambdas.extract_entities.turns import Quota

COST_MODES: dict[CostMode, tuple[str, ...]] = {
    CostMode.FULL: ("DetectEntitiesV2", "InferICD10CM"),
    CostMode.CODED: ("InferICD10CM", "InferRxNorm"),
    CostMode.OFF: (),
}
"""The operations of each mode, the richest first; `coded` costs about a fourteenth of `full`."""

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


@cache
def cost_mode() -> CostMode:
    """The environment's mode, one of `COST_MODES`. Raises `ConfigurationError` for another value."""
    mode = required("ENS_COST_MODE")
    if mode not in set(CostMode):
        raise ConfigurationError(f"ENS_COST_MODE is none of {', '.join(CostMode)}")
    return CostMode(mode)


@cache
def quota() -> Quota:
    """The account's quota of each operation, shared by all functions of the environment."""
    return Quota(
        requests=number("ENS_COMPREHEND_RATE", RATE) or RATE,
        characters=number("ENS_COMPREHEND_CHARACTERS", CHARACTERS) or CHARACTERS,
    )


@cache
def wait_seconds() -> float:
    """Seconds after the start of its workflow until which an event may wait for its turn."""
    return number("ENS_FINDINGS_WAIT_SECONDS", WAIT_SECONDS)


@cache
def cache_days() -> float:
    """Days for which an analysis is used again for the same note."""
    return number("ENS_CACHE_DAYS", CACHE_DAYS)


@cache
def text_limit() -> int:
    """Characters of one event that are analysed; the rest is named as not analysed."""
    return int(number("ENS_TEXT_LIMIT", TEXT_LIMIT))


def full_in_clear() -> bool:
    """Whether this environment sends full detail without encryption (ENS_FULL_IN_CLEAR)."""
    return os.environ.get("ENS_FULL_IN_CLEAR") != "forbidden"
