"""What this step reads from its environment beyond what all steps do."""

import os
from functools import cache

from lambdas.common.errors import ConfigurationError
from lambdas.common.settings import number, required
from lambdas.extract_entities.turns import Quota

COST_MODES = {
    "full": ("DetectEntitiesV2", "InferICD10CM"),
    "coded": ("InferICD10CM", "InferRxNorm"),
    "off": (),
}
"""What each mode asks, the richest first; `coded` costs about a fourteenth of `full`."""

RATE = 40
"""Requests a second that the account has where ENS_COMPREHEND_RATE does not say."""

CHARACTERS = 40_000
"""Characters a second that the account has where ENS_COMPREHEND_CHARACTERS does not say."""

WAIT_SECONDS = 90
"""How long an event may wait for its turn where ENS_FINDINGS_WAIT_SECONDS does not say."""

CACHE_DAYS = 30
"""Days for which the same note is not asked again where ENS_CACHE_DAYS does not say; 0: never kept."""

TEXT_LIMIT = 50_000
"""Characters of one event that are analysed where ENS_TEXT_LIMIT does not say."""


@cache
def cost_mode() -> str:
    """The environment's mode, one of `COST_MODES`; `ConfigurationError` for anything else."""
    mode = required("ENS_COST_MODE")
    if mode not in COST_MODES:
        raise ConfigurationError(f"ENS_COST_MODE is none of {', '.join(COST_MODES)}")
    return mode


@cache
def quota() -> Quota:
    """What the account may ask of each operation, shared by all functions of the environment."""
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
    """Days for which an analysis answers the same note again."""
    return number("ENS_CACHE_DAYS", CACHE_DAYS)


@cache
def text_limit() -> int:
    """Characters of one event that are analysed; what is beyond is named as not analysed."""
    return int(number("ENS_TEXT_LIMIT", TEXT_LIMIT))


def full_in_clear() -> bool:
    """Whether this environment sends full detail without encryption (ENS_FULL_IN_CLEAR)."""
    return os.environ.get("ENS_FULL_IN_CLEAR") != "forbidden"
