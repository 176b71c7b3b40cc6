"""Times and ages as a person reads them."""

import re
from datetime import date, datetime
from zoneinfo import ZoneInfo

from lambdas.deliver_notification.clean import clean

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

_PARTS = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:T(?P<hour>\d\d)(?::(?P<minute>\d\d)(?::\d\d(?:\.\d+)?)?)?)?"
    r"(?P<offset>Z|[+-]\d\d:?\d\d)?)?)?",
    re.ASCII,
)


def in_words(moment: str, zone: ZoneInfo | None) -> str:
    """An ISO 8601 moment as `23 November 2026, 09:12 (America/Halifax time)`, no more precise than it was.

    With an offset it is shown in the institution's zone, or else with that offset. Without one HL7
    means the sender's own local time (HL7 2.A.22), and it is shown as it is. What is not a
    moment at all is shown as it was sent.
    """
    parts = _PARTS.fullmatch(moment)
    if not parts:
        return clean(moment, 40)
    try:
        return _words(parts, zone)
    except (ValueError, OverflowError):  # no such day; the first or last day there is
        return clean(moment, 40)


def _words(parts: re.Match[str], zone: ZoneInfo | None) -> str:
    year, month, day = parts["year"], parts["month"], parts["day"]
    if not day:
        first = date(int(year), int(month or 1), 1)
        return f"{MONTHS[first.month - 1]} {year}" if month else year
    if not parts["minute"]:
        hour = f", {parts['hour']} h" if parts["hour"] else ""
        return _day(date(int(year), int(month), int(day))) + hour
    offset = parts["offset"] or ""
    local = datetime.fromisoformat(
        f"{year}-{month}-{day}T{parts['hour']}:{parts['minute']}{offset}"
    )
    if offset and zone:
        local = local.astimezone(zone)
    return f"{_day(local)}, {local:%H:%M} ({_zone_words(offset, zone)})"


def _zone_words(offset: str, zone: ZoneInfo | None) -> str:
    if zone:
        return f"{zone.key.replace('_', ' ')} time"
    if offset:
        return "UTC" if offset == "Z" else f"UTC{offset}"
    return "local time of the institution"


def _day(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def age(born: str, at: str) -> str:
    """The age on the day of the event, as `68 years`; in months below two years; "" when not known."""
    try:
        birth, then = date.fromisoformat(born[:10]), date.fromisoformat(at[:10])
    except ValueError:
        return ""
    months = (then.year - birth.year) * 12 + then.month - birth.month - (then.day < birth.day)
    if months < 0 or months > 130 * 12:
        return ""
    if months < 1:
        return _counted((then - birth).days, "day")
    return _counted(months, "month") if months < 24 else _counted(months // 12, "year")


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
