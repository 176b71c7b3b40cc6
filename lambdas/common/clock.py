"""Writes times in this system's form (ISO 8601, UTC, milliseconds, `Z`), and finds time zones."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo


def iso(moment: datetime) -> str:
    """A moment as `2026-11-23T09:15:02.113Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def is_day(text: str) -> bool:
    """Whether the text is a day as YYYY-MM-DD."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def zone_named(name: str) -> ZoneInfo | None:
    """The time zone of this name; None for "" and where the zone database lacks it."""
    try:
        return ZoneInfo(name) if name else None
    # An OSError for a folder of the database ("America") and for a name longer than a file's may be.
    except (LookupError, OSError, ValueError):
        return None


def now() -> str:
    """The current time as `2026-11-23T09:15:02.113Z`."""
    return iso(datetime.now(UTC))


def milliseconds_since(moment: str) -> int:
    """Whole milliseconds from an ISO 8601 moment until now; never negative."""
    elapsed = datetime.now(UTC) - datetime.fromisoformat(moment)
    return max(0, round(elapsed.total_seconds() * 1000))


def expiry(days: int, moment: datetime | None = None) -> int:
    """Returns the time `days` after a moment, by default now, in seconds since the epoch.

    It is an item's `expires_at`: DynamoDB deletes the item within days after it (Amazon DynamoDB Developer
    Guide, "Using time to live").
    """
    return int(((moment or datetime.now(UTC)) + timedelta(days=days)).timestamp())
