"""What this step reads from its environment beyond what all steps do."""

import json
from functools import cache

from lambdas.common.errors import ConfigurationError
from lambdas.common.settings import required


@cache
def registry_table() -> str:
    """The name of the registry's table."""
    return required("ENS_REGISTRY_TABLE")


@cache
def default_authorities() -> dict[str, str]:
    """The assigning authority that each configured sender means when it names none; those that have one.

    Raises `ConfigurationError` when `ENS_SENDERS` is missing or not a list of senders.
    """
    try:
        return {
            sender["name"]: sender["default_assigning_authority"]
            for sender in json.loads(required("ENS_SENDERS"))
            if sender.get("default_assigning_authority")
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ConfigurationError("ENS_SENDERS is not a JSON list of senders") from None
