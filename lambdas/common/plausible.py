"""Decides whether a time of a message is plausible. Others are neither used in rules nor shown."""

from datetime import UTC, datetime, timedelta

MAX_AGE = timedelta(days=20 * 365)
"""An event of decades ago is a default value of the sender's system, such as 1970-01-01."""

CLOCK_TOLERANCE = timedelta(hours=2)
"""The most by which a sender's time may lie in the future. A time without an offset may lie 14 hours further."""

ZONE_TOLERANCE = timedelta(hours=14)


def is_plausible(moment: str, received_at: str, birth_date: str = "") -> bool:
    """Whether an ISO 8601 time of a message fits its receipt (ISO 8601, UTC) and the patient's birth date.

    False for one in the future, decades ago, or before the birth. True for a text that is no time, and
    where the time of receipt is not known.
    """
    try:
        parsed, received = datetime.fromisoformat(moment), datetime.fromisoformat(received_at)
    except ValueError:
        return True
    tolerance = CLOCK_TOLERANCE
    if parsed.tzinfo is None:
        parsed, tolerance = parsed.replace(tzinfo=UTC), tolerance + ZONE_TOLERANCE
    if birth_date and moment[:10] < birth_date[:10]:
        return False
    return -MAX_AGE <= parsed - received <= tolerance
