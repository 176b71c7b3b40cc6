"""The configured senders, as functions use them."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lambdas.common.context import Context


@dataclass(frozen=True, slots=True)
class SenderProfile:
    """A configured sender; all members are empty for one that is not configured.

    `zone` applies to times without an offset, `default_assigning_authority` to identifiers without an
    authority.
    """

    display_name: str = ""
    zone: ZoneInfo | None = None
    default_assigning_authority: str = ""
    phone: str = ""


def sender_named(context: Context, name: str) -> SenderProfile:
    """The sender of this configured name; an empty `SenderProfile` for `unknown`.

    Raises as `lambdas.common.configuration.senders` does.
    """
    entry = context.senders.get(name, {})
    return SenderProfile(
        display_name=entry.get("display_name", ""),
        zone=_zone(entry.get("time_zone", "")),
        default_assigning_authority=entry.get("default_assigning_authority", ""),
        phone=entry.get("phone", ""),
    )


def _zone(name: str) -> ZoneInfo | None:
    """The zone; None when the zone database lacks it. Times then get no offset from it."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        return None
