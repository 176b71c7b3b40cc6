"""What this step reads from its environment beyond what all steps do."""

from functools import cache

from lambdas.common.settings import required


@cache
def registry_table() -> str:
    """The name of the registry's table."""
    return required("ENS_REGISTRY_TABLE")
