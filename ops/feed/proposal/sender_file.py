"""Proposes the sender's file (`environments/senders/<name>.toml`) from the counts of its feed.

Every key that has a value in an existing file keeps it. A line for a person to check says so; a value
that the feed cannot show is a comment with what to ask for. The form of the file is sender.toml.jinja.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from environments import Sender
from ops.feed.checking.tally import FeedTally
from ops.feed.checking.times import NO_OFFSET
from ops.feed.proposal import toml
from ops.feed.report.finding import percent
from ops.output import count
from ops.templates import filled

MIN_SHARE = 0.9
"""From this share of the messages on, the most frequent authority is proposed for those that name none."""

VALUES = (
    *("sending_application", "sending_facility", "networks", "certificates", "trigger_events"),
    *("default_assigning_authority", "assigning_authorities", "time_zone", "date_order"),
    *("display_name", "phone"),
)
TABLES = (
    *("patient_classes", "admission_types", "sexes", "dispositions", "units", "facilities"),
    "facility_names",
)
"""The keys that the template proposes. It writes those of an existing file that are in neither as they are."""


def proposed_file(name: str, known: Sender | None, tally: FeedTally) -> str:
    """Returns the whole file. The schema of senders accepts it where the feed names MSH-3 and MSH-4."""
    kept = _values(known) if known else {}
    coded, offsets = tally.coded, tally.times.offsets
    authorities = coded.authorities.shown()
    most = authorities[0] if authorities else None
    named = (f"{one} ({percent(n, offsets.total())})" for one, n in offsets.most_common(4))
    text = filled(
        Path(__file__).with_name("sender.toml.jinja"),
        {},
        name=name,
        kept=kept,
        others={key: kept[key] for key in kept if key not in (*VALUES, *TABLES)},
        tally=tally,
        times=tally.times,
        coded=coded,
        origins=tally.origins.shown(),
        trigger_events=sorted(one for one in tally.decisions if one[1:].isdigit()),
        authorities=[one.value for one in authorities],
        usual=most if most and most.messages >= MIN_SHARE * coded.authorities.count() else None,
        offsets=", ".join(named) or NO_OFFSET,
        texts={one.read_as: one.value for one in reversed(coded.disposition_texts.shown())},
        pair=toml.pair,
        count=count,
        percent=percent,
    )
    return text.lstrip("\n")


def _values(sender: Sender) -> dict[str, Any]:
    """The keys of an existing file that have a value."""
    given = asdict(sender)
    del given["name"]
    return {name: _without_empty(value) for name, value in given.items() if not _is_empty(value)}


def _without_empty(value: Any) -> Any:
    """A table without its empty members: the schema has no empty texts."""
    if isinstance(value, dict):
        return {name: _without_empty(one) for name, one in value.items() if not _is_empty(one)}
    return [_without_empty(one) for one in value] if isinstance(value, tuple) else value


def _is_empty(value: Any) -> bool:
    """Whether a value is a default; the number 0 is not."""
    return value is None or value is False or value in ("", (), [], {})
