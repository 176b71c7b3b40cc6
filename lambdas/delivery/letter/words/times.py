"""Times and ages as a person reads them."""

import re
from datetime import date, datetime
from zoneinfo import ZoneInfo

from lambdas.delivery.letter.words.locale import Words
from lambdas.delivery.letter.words.unlinked import letter_text

_PARTS = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:T(?P<hour>\d\d)(?::(?P<minute>\d\d)(?::\d\d(?:\.\d+)?)?)?)?"
    r"(?P<offset>Z|[+-]\d\d:?\d\d)?)?)?",
    re.ASCII,
)


def in_words(moment: str, zone: ZoneInfo | None, words: Words) -> str:
    """An ISO 8601 moment as `23 November 2026, 09:12 (America/Halifax time)`, no more precise than it was.

    With an offset it is shown in the institution's zone, or else with that offset. Without one HL7
    means the sender's own local time (HL7 2.A.22), and it is shown as it is. In the hour that the clock
    shows twice in autumn, the offset is named. A value that is no moment is shown as it was sent.
    """
    parts = _PARTS.fullmatch(moment)
    if not parts:
        return letter_text(moment, 40)
    try:
        return _words(parts, zone, words.time)
    except (ValueError, OverflowError):  # no such day; the first or last day there is
        # Digits and separators of a time alone, which `letter_text` would take for a telephone number.
        return moment


def _words(parts: re.Match[str], zone: ZoneInfo | None, words: Words) -> str:
    year, month, day = parts["year"], parts["month"], parts["day"]
    if not day:
        first = date(int(year), int(month or 1), 1)
        if not month:
            return year
        return str(words.month.format(month=words.months[first.month - 1], year=year))
    if not parts["hour"]:
        return _day(date(int(year), int(month), int(day)), words)
    offset = parts["offset"] or ""
    local = datetime.fromisoformat(
        f"{year}-{month}-{day}T{parts['hour']}:{parts['minute'] or '00'}{offset}"
    )
    if offset and zone:
        local = local.astimezone(zone)
    # Another zone's full hour may lie half an hour beside this one's (America/St_Johns).
    form = words.minute if parts["minute"] or local.minute else words.hour
    return str(
        form.format(
            day=_day(local, words),
            hour=f"{local:%H}" if words.two_digit_hours else str(local.hour),
            minute=f"{local:%M}",
            zone=_zone_words(local, offset, zone, words),
        )
    )


def _zone_words(local: datetime, offset: str, zone: ZoneInfo | None, words: Words) -> str:
    if zone:
        said = str(words.zone.format(zone=zone.key.replace("_", " ")))
        comes_twice = local.utcoffset() != local.replace(fold=1 - local.fold).utcoffset()
        return f"{said}, UTC{local.isoformat()[-6:]}" if comes_twice else said
    if offset:
        return "UTC" if offset == "Z" else f"UTC{offset}"
    return str(words.local)


def _day(day: date, words: Words) -> str:
    form = words.first_day if day.day == 1 else words.day
    return str(form.format(day=day.day, month=words.months[day.month - 1], year=day.year))


def age(born: str, at: str, words: Words) -> str:
    """The age on the day of the event, as `68 years`; in months below two years; "" when not known."""
    try:
        birth, then = date.fromisoformat(born[:10]), date.fromisoformat(at[:10])
    except ValueError:
        return ""
    months = (then.year - birth.year) * 12 + then.month - birth.month - (then.day < birth.day)
    if months < 0 or months > 130 * 12:
        return ""
    time = words.time
    if months < 1:
        return counted((then - birth).days, time.day_old)
    return counted(months, time.month_old) if months < 24 else counted(months // 12, time.year_old)


def counted(number: int, forms: list[str]) -> str:
    """A number with its unit, as `2 days`.

    French counts 0 like 1, English like many; both say 0 days of a newborn alike here.
    """
    return forms[0 if number == 1 else 1].format(n=number)
