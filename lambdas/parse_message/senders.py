"""The time zones of the environment's senders (`ENS_SENDERS`)."""

import json
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lambdas.common.errors import ConfigurationError
from lambdas.common.settings import required


def zone_of(sender: str) -> ZoneInfo | None:
    """The zone of the configured sender of that name; None when it has none, or is not configured.

    Raises `ConfigurationError` when `ENS_SENDERS` is missing or not a list of senders.
    """
    return _zones().get(sender)


@cache
def _zones() -> dict[str, ZoneInfo | None]:
    try:
        return {
            entry["name"]: _zone(entry.get("time_zone", ""))
            for entry in json.loads(required("ENS_SENDERS"))
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ConfigurationError("ENS_SENDERS is not a JSON list of senders with names") from None


def _zone(name: str) -> ZoneInfo | None:
    """The zone; None where this machine does not know it: its times then keep no offset, with a warning."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        return None
