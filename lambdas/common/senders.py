"""The hospitals that send, as the environment configures them."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lambdas.common.configuration import senders


@dataclass(frozen=True, slots=True)
class Sender:
    """A configured sender; every member is empty for one that is not configured.

    `zone` is that of times which the sender gives without an offset, `default_assigning_authority`
    that of identifiers which it gives without one.
    """

    display_name: str = ""
    zone: ZoneInfo | None = None
    default_assigning_authority: str = ""
    phone: str = ""


def sender_named(name: str) -> Sender:
    """The sender of this configured name; an empty `Sender` for `unknown`.

    Raises as `lambdas.common.configuration.senders` does.
    """
    entry = senders().get(name, {})
    return Sender(
        display_name=entry.get("display_name", ""),
        zone=_zone(entry.get("time_zone", "")),
        default_assigning_authority=entry.get("default_assigning_authority", ""),
        phone=entry.get("phone", ""),
    )


def _zone(name: str) -> ZoneInfo | None:
    """The zone; None where the zone database lacks it: times then stay as they were sent."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        return None
