"""Reads the members of an audit item that decide its place. In a forged item each may be missing or of any type. Pure.

A verification of a period finds entries by the index `by_day`. DynamoDB leaves out of an index every item
that lacks one of its key attributes.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-indexes-general-sparse-indexes.html
"""

from lambdas.common.aws.items import Item
from lambdas.common.clock import is_day


def number_of(item: Item) -> int:
    """The number of an entry or a head: a whole number from 1 on; 0 where `seq` is none."""
    number = item.get("seq")
    return number if isinstance(number, int) and number is not True and number > 0 else 0


def text_of(item: Item, name: str) -> str:
    """The text of a member, "" where it is missing or no text."""
    value = item.get(name)
    return value if isinstance(value, str) else ""


def day_of(item: Item) -> str:
    """The entry's day (YYYY-MM-DD), "" where it names none."""
    day = text_of(item, "day")
    return day if is_day(day) else ""


def form_fault(entry: Item, today: str) -> str:
    """The first fault of number, day, time and `outcome_time`; "" where a verification of its day finds the entry.

    `today` is the newest day (UTC) that an entry may have.
    """
    if "seq" in entry and not number_of(entry):
        return "has a number that is not a whole number from 1 on"
    day = day_of(entry)
    if not day:
        return "has no day"
    if day > today:
        return "is of a day that has not begun"
    if text_of(entry, "time")[:10] != day:
        return "is of another day than its time"
    if not text_of(entry, "outcome_time"):
        return "has no outcome_time"
    return ""
