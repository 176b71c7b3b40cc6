"""What this step reads from its environment beyond what all steps do."""

import os
from functools import cache

from lambdas.common.errors import ConfigurationError
from lambdas.common.settings import required

COST_MODES = {
    "full": ("DetectEntitiesV2", "InferICD10CM"),
    "coded": ("InferICD10CM", "InferRxNorm"),
    "off": (),
}
"""What each mode asks; `coded` finds conditions and medications for about a fourteenth of the price."""

RATE = 10.0
"""Requests a second of one function where ENS_COMPREHEND_RATE does not say; the account has 40 to 100."""

CACHE_DAYS = 30
"""Days for which the same note is not asked again where ENS_CACHE_DAYS does not say; 0: never kept."""


@cache
def cost_mode() -> str:
    """One of `COST_MODES`; `ConfigurationError` for anything else."""
    mode = required("ENS_COST_MODE")
    if mode not in COST_MODES:
        raise ConfigurationError(f"ENS_COST_MODE is none of {', '.join(COST_MODES)}")
    return mode


@cache
def rate() -> float:
    """Requests a second that one function may send."""
    return _number("ENS_COMPREHEND_RATE", RATE) or RATE


@cache
def cache_days() -> float:
    """Days for which an analysis answers the same note again."""
    return _number("ENS_CACHE_DAYS", CACHE_DAYS)


def _number(name: str, default: float) -> float:
    try:
        number = float(os.environ.get(name) or default)
    except ValueError:
        raise ConfigurationError(f"{name} is not a number") from None
    if number < 0:
        raise ConfigurationError(f"{name} is negative")
    return number
