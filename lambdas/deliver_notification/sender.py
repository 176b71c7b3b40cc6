"""Who sends, as configured: the institution's name and time zone for the reader."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lambdas.common.errors import ConfigurationError
from lambdas.common.settings import required


@dataclass(frozen=True, slots=True)
class Sender:
    """A configured sender; both members are empty for one that is not configured."""

    display_name: str = ""
    zone: ZoneInfo | None = None


def sender_named(name: str) -> Sender:
    """The sender of this configured name; an unnamed `Sender` for `unknown`.

    Raises `ConfigurationError` where `ENS_SENDERS` is not a list of senders.
    """
    return _senders().get(name, Sender())


@cache
def _senders() -> dict[str, Sender]:
    try:
        return {entry["name"]: _sender(entry) for entry in json.loads(required("ENS_SENDERS"))}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ConfigurationError("ENS_SENDERS is not a JSON list of senders with names") from None


def _sender(entry: dict[str, Any]) -> Sender:
    return Sender(entry.get("display_name", ""), _zone(entry.get("time_zone", "")))


def _zone(name: str) -> ZoneInfo | None:
    """The zone; None where this machine does not know it: times are then shown as they were sent."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        return None
