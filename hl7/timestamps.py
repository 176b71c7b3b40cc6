"""Converts times (TS, DTM, DT) to ISO 8601 with the precision that was sent.

HL7 writes `YYYYMMDDHHMMSS.SSSS+ZZZZ` (v2.9, 2.A.22). Interfaces also send ISO 8601, dates with slashes,
fractions without a point, an offset after a blank and zeros for an unknown month or day. A form with one
meaning is read, with a warning; any other is not a time (docs/adr/0204-times-and-character-sets.md).
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from hl7.warnings import MessageWarning, WarningCode

_OFFSET = r"(?P<blank>\s*)(?P<offset>[+-]\d\d:?(?:\d\d)?|Z)?"
HL7_TIME = re.compile(
    r"(?P<year>\d{4})(?:(?P<month>\d\d)(?:(?P<day>\d\d)(?:(?P<hour>\d\d)(?:(?P<minute>\d\d)"
    r"(?:(?P<second>\d\d)(?P<fraction>\.\d{1,10}|\d{1,10})?)?)?)?)?)?" + _OFFSET,
    re.ASCII | re.IGNORECASE,
)
_STANDARD = re.compile(r"\d{4}(?:\d\d){0,5}(?:(?<=\d{14})\.\d{1,4})?(?:[+-]\d{4}|Z)?", re.ASCII)
_CLOCK = (
    r"(?:(?:\s*T\s*|\s+|:)(?P<hour>\d\d):?(?P<minute>\d\d)(?::?(?P<second>\d\d)(?P<fraction>[.,]\d{1,10})?)?"
    + _OFFSET
    + r")?"
)
_OTHER_FORMS = tuple(
    re.compile(form + _CLOCK, re.ASCII | re.IGNORECASE)
    for form in (
        r"(?P<year>\d{4})([-/.])(?P<month>\d\d?)\2(?P<day>\d\d?)",
        r"(?P<year>\d{4})-(?P<month>\d\d)",
        r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)",
        r"(?P<day>\d\d?)\.(?P<month>\d\d?)\.(?P<year>\d{4})",
        r"(?P<day>\d\d?)[- ](?P<name>[a-z]{3})[a-z]*[- ](?P<year>\d{4})",
        r"(?P<name>[a-z]{3})[a-z]* (?P<day>\d\d?),? (?P<year>\d{4})",
    )
)
_EITHER_ORDER = re.compile(
    r"(?P<one>\d\d?)([-/])(?P<two>\d\d?)\2(?P<year>\d{4})" + _CLOCK, re.ASCII | re.IGNORECASE
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MAX_CHARACTERS = 60
_CLOCK_DIFFERENCE = timedelta(minutes=5)
"""The most by which a sender's clock is expected to be fast."""


class DateOrder(StrEnum):
    """The order of day and month in dates such as 03/04/1961; `UNKNOWN` leaves those unread."""

    UNKNOWN = ""
    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"


@dataclass(frozen=True, slots=True)
class _ReadTime:
    """A time as far as it was sent: the moment on the sender's clock, and its last known part."""

    moment: datetime
    precision: str
    fraction: str = ""
    offset: str = ""
    standard: bool = True

    def date(self) -> str:
        """The date as `2026-11-23`, or as much of it as was sent."""
        length = {"year": 4, "month": 7}.get(self.precision, 10)
        return f"{self.moment:%Y-%m-%d}"[:length]

    def clock(self) -> str:
        """The time of day as `T09:15:02.113`; "" for a date."""
        form = {"hour": "T%H", "minute": "T%H:%M", "second": "T%H:%M:%S"}.get(self.precision, "")
        return f"{self.moment:{form}}{self.fraction}" if form else ""


@dataclass(frozen=True, slots=True)
class Times:
    """Reads the times of one message.

    A time without an offset gets that of the sender's configured zone, summer time included; else the
    offset of MSH-7, the message's default (HL7 2.9.2.7); else none, with an entry in `warnings`.
    `date_order` is the sender's. `received_at`, in ISO 8601, decides about the hour that summer time
    repeats at its end: its second pass is meant once that has begun.
    """

    zone: ZoneInfo | None
    default_offset: str
    warnings: list[MessageWarning]
    date_order: DateOrder = DateOrder.UNKNOWN
    received_at: str = ""

    def time(self, value: str, position: str) -> str:
        """Returns `value` as `2026-11-23T09:15:02-04:00`, or as much of it as was sent.

        "" for an empty value, and with a warning for one that is not a time.
        """
        found = self._read(value, position, WarningCode.NOT_A_TIME)
        if found is None:
            return ""
        clock = found.clock()
        return found.date() + (clock + self._offset(found, position) if clock else "")

    def date(self, value: str, position: str) -> str:
        """Returns the date in `value` as `1958-02-14`, without time of day; "" as for `time`."""
        found = self._read(value, position, WarningCode.NOT_A_DATE)
        return found.date() if found else ""

    def _read(self, value: str, position: str, otherwise: WarningCode) -> _ReadTime | None:
        value = value.strip().split("\n", 1)[0].strip()
        if not value:
            return None
        found = _time(value, self.date_order)
        if found is None:
            self.warnings.append(MessageWarning(otherwise, position))
        elif not found.standard:
            self.warnings.append(MessageWarning(WarningCode.NOT_STANDARD_FORM, position))
        return found

    def _offset(self, found: _ReadTime, position: str) -> str:
        if found.offset:
            return found.offset
        if self.zone:
            return _written(self._in_zone(found.moment).strftime("%z"))
        if not self.default_offset:
            self.warnings.append(MessageWarning(WarningCode.NO_OFFSET, position))
        return self.default_offset

    def _in_zone(self, moment: datetime) -> datetime:
        """The moment on the clock of the zone."""
        first = moment.replace(tzinfo=self.zone)
        second = first.replace(fold=1)
        begins = second.astimezone(UTC)
        if not self.received_at or begins <= first.astimezone(UTC):
            return first  # not repeated
        begun = begins - _CLOCK_DIFFERENCE <= datetime.fromisoformat(self.received_at)
        return second if begun else first


def offset_of(value: str) -> str:
    """The offset of a time as `-04:00`; "" when it has none."""
    found = _time(value.strip())
    return found.offset if found else ""


def _time(value: str, order: DateOrder = DateOrder.UNKNOWN) -> _ReadTime | None:
    """The time in a text; None for one that has no single meaning."""
    if len(value) > _MAX_CHARACTERS:
        return None
    for form in (HL7_TIME, *_OTHER_FORMS):
        if match := form.fullmatch(value):
            return _of_parts(match.groupdict(), standard=_STANDARD.fullmatch(value) is not None)
    match = _EITHER_ORDER.fullmatch(value)
    if not match:
        return None
    parts = match.groupdict()
    one, two = int(parts.pop("one")), int(parts.pop("two"))
    if one != two and one <= 12 and two <= 12 and not order:
        return None  # the third of April or the fourth of March
    # A number above 12 is a day, whatever the sender's order.
    month_first = two > 12 or (order is DateOrder.MONTH_FIRST and one <= 12)
    day, month = (two, one) if month_first else (one, two)
    return _of_parts({**parts, "day": str(day), "month": str(month)}, standard=False)


def _of_parts(parts: dict[str, str | None], *, standard: bool) -> _ReadTime | None:
    offset = _offset_of_parts(parts.get("offset") or "")
    if offset is None:
        return None
    if name := parts.get("name"):
        if name.lower() not in _MONTHS:
            return None
        parts["month"] = str(_MONTHS.index(name.lower()) + 1)
    given = [n for n in ("year", "month", "day", "hour", "minute", "second") if parts.get(n)]
    numbers = {n: int(parts[n] or 0) for n in given}
    # Zeros for a month or day that is not known (19610000, 19580200): the time ends before them.
    for unknown, length in (("month", 1), ("day", 2)):
        if numbers.get(unknown) == 0:
            if any(numbers[n] for n in given[length:]):
                return None
            given, standard = given[:length], False
            break
    numbers = {n: numbers[n] for n in given}
    midnight = numbers.get("hour") == 24 and not numbers.get("minute") and not numbers.get("second")
    if midnight:
        numbers["hour"], standard = 0, False
    if numbers.get("second") == 60:  # a leap second
        numbers["second"], standard = 59, False
    try:
        # Without a zone on purpose: `Times._offset` adds the offset.
        moment = datetime(**{"month": 1, "day": 1, **numbers})  # type: ignore[arg-type] # noqa: DTZ001
        moment += timedelta(days=int(midnight))
    except (ValueError, OverflowError):
        return None
    fraction = (parts.get("fraction") or "").lstrip(".,")[:6] if given[-1] == "second" else ""
    return _ReadTime(moment, given[-1], f".{fraction}" if fraction else "", offset, standard)


def _offset_of_parts(sent: str) -> str | None:
    """The offset as `-04:00`, "" for none; None for one that no place on earth has."""
    if not sent:
        return ""
    if sent in "Zz":
        return "+00:00"
    digits = sent[1:].replace(":", "").ljust(4, "0")
    if int(digits[:2]) > 14 or int(digits[2:]) > 59:
        return None
    return _written(sent[0] + digits)


def _written(offset: str) -> str:
    return f"{offset[:3]}:{offset[3:5]}"
