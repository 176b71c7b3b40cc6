"""Converts HL7 times (TS, DTM, DT) to ISO 8601 with the precision that was sent."""

import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from hl7.warnings import MessageWarning, WarningCode

HL7_TIME = re.compile(
    r"(?P<year>\d{4})(?:(?P<month>\d\d)(?:(?P<day>\d\d)(?:(?P<hour>\d\d)(?:(?P<minute>\d\d)"
    r"(?:(?P<second>\d\d)(?:\.(?P<fraction>\d{1,6}))?)?)?)?)?)?(?P<offset>[+-]\d{4}|Z)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Times:
    """Reads the times of one message.

    A time without an offset gets that of the sender's configured zone, summer time included; else the
    offset of MSH-7, the message's default (HL7 2.9.2.7); else none, with an entry in `warnings`.
    """

    zone: ZoneInfo | None
    default_offset: str
    warnings: list[MessageWarning]

    def time(self, value: str, position: str) -> str:
        """Returns `value` as `2026-11-23T09:15:02-04:00`, or as much of it as was sent.

        "" for an empty value, and with a warning for one that is not a time.
        """
        value = value.strip()
        if not value:
            return ""
        match = HL7_TIME.fullmatch(value)
        moment = _moment(match) if match else None
        if not match or not moment:
            self.warnings.append(MessageWarning(WarningCode.NOT_A_TIME, position))
            return ""
        text = _date(match)
        if not match["hour"]:
            return text
        text += "T" + ":".join(match[part] for part in ("hour", "minute", "second") if match[part])
        if match["fraction"]:
            text += "." + match["fraction"]
        return text + self._offset(match["offset"], moment, position)

    def date(self, value: str, position: str) -> str:
        """Returns the date in `value` as `1958-02-14`, without time of day; "" as for `time`."""
        value = value.strip()
        match = HL7_TIME.fullmatch(value)
        if match and _moment(match):
            return _date(match)
        if value:
            self.warnings.append(MessageWarning(WarningCode.NOT_A_DATE, position))
        return ""

    def _offset(self, sent: str | None, moment: datetime, position: str) -> str:
        if sent:
            return _written(sent)
        if self.zone:
            return _written(moment.replace(tzinfo=self.zone).strftime("%z"))
        if not self.default_offset:
            self.warnings.append(MessageWarning(WarningCode.NO_OFFSET, position))
        return self.default_offset


def offset_of(value: str) -> str:
    """The offset of a time as `-04:00`; "" when it has none."""
    match = HL7_TIME.fullmatch(value.strip())
    return _written(match["offset"]) if match and match["offset"] and _moment(match) else ""


def _moment(match: re.Match[str]) -> datetime | None:
    """The moment on the sender's clock; None when there is no such date, hour or offset."""
    offset = match["offset"] or "Z"
    if offset != "Z" and (int(offset[1:3]) > 14 or int(offset[3:]) > 59):
        return None
    year, month, day = (int(match[part] or 1) for part in ("year", "month", "day"))
    hour, minute, second = (int(match[part] or 0) for part in ("hour", "minute", "second"))
    try:
        # Without a zone on purpose: `Times._offset` adds the offset.
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001
    except ValueError:
        return None


def _date(match: re.Match[str]) -> str:
    return "-".join(match[part] for part in ("year", "month", "day") if match[part])


def _written(offset: str) -> str:
    return "+00:00" if offset == "Z" else f"{offset[:3]}:{offset[3:5]}"
