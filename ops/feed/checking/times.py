"""Compares the times of a feed: offsets, delay from recording to sending, order, and forms of dates."""

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hl7.er7 import Message
from hl7.timestamps import offset_of
from lambdas.common.contracts.message.event import PatientEvent
from ops.feed.checking.places import Occurrences, Place

NO_OFFSET = "none"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
DELAYS = (
    (-HOUR, "EVN-2 more than an hour after MSH-7"),
    (-MINUTE, "EVN-2 a minute to an hour after MSH-7"),
    (MINUTE, "within a minute"),
    (HOUR, "MSH-7 a minute to an hour after EVN-2"),
    (DAY, "MSH-7 an hour to a day after EVN-2"),
    (timedelta.max, "MSH-7 more than a day after EVN-2"),
)
"""Upper limits of MSH-7 less EVN-2, and their names."""

_SLASHED = re.compile(r"(\d\d?)([-/])(\d\d?)\2\d{4}(?!\d)")


@dataclass(slots=True)
class TimeTally:
    """The times of the messages so far. `date_forms` counts `dmy`, `mdy` and `either` of dates as 03/04/1961."""

    offsets: Counter[str] = field(default_factory=Counter)
    delays: Counter[str] = field(default_factory=Counter)
    date_forms: Counter[str] = field(default_factory=Counter)
    backwards: Occurrences = field(default_factory=Occurrences)
    first_day: str = ""
    last_day: str = ""
    _newest: datetime | None = None

    def add(self, message: Message, event: PatientEvent, place: Place) -> None:
        """Counts one message's times."""
        msh, pid = message.first("MSH"), message.first("PID")
        if sent := msh.part(7):
            self.offsets[offset_of(sent) or NO_OFFSET] += 1
        for number in (7, 29):
            if found := _SLASHED.match(pid.part(number).strip()):
                self.date_forms[_order(int(found[1]), int(found[3]))] += 1
        sent_at, recorded_at = moment(event.message_time), moment(event.recorded_at)
        if sent_at is None:
            return
        day = event.message_time[:10]
        self.first_day = min(self.first_day or day, day)
        self.last_day = max(self.last_day, day)
        if self._newest and self._newest - sent_at > MINUTE:
            self.backwards.add(place)
        self._newest = max(self._newest or sent_at, sent_at)
        if recorded_at and "T" in event.recorded_at:
            self.delays[_delay(sent_at - recorded_at)] += 1


def moment(text: str) -> datetime | None:
    """The moment of an ISO 8601 text, without an offset in UTC; None for none."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _delay(delay: timedelta) -> str:
    return next(name for limit, name in DELAYS if delay <= limit)


def _order(one: int, two: int) -> str:
    if one > 12 >= two:
        return "dmy"
    return "mdy" if two > 12 >= one else "either"
