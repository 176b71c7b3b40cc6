"""What this step reads from its environment beyond what all steps do."""

from functools import cache

from lambdas.common.errors import ConfigurationError
from lambdas.common.settings import required

COST_MODES = ("full", "off")
"""`full`: DetectEntitiesV2 and InferICD10CM. `off`: nothing is sent to Comprehend Medical."""


@cache
def cost_mode() -> str:
    """One of `COST_MODES`; `ConfigurationError` for anything else."""
    mode = required("ENS_COST_MODE")
    if mode not in COST_MODES:
        raise ConfigurationError(f"ENS_COST_MODE is none of {', '.join(COST_MODES)}")
    return mode
