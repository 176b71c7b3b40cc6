"""Proposes the sender's file (`environments/senders/<name>.toml`) from the counts of its feed.

Every key that has a value in an existing file keeps it. A line for a person to check says so; a value
that the feed cannot show is a comment with what to ask for.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, fields
from typing import Any

from environments import Sender
from ops.feed.checking.shown_codes import CodeField, ShownCode
from ops.feed.checking.tally import FeedTally
from ops.feed.checking.times import NO_OFFSET
from ops.feed.proposal import toml
from ops.feed.report.finding import percent
from ops.output import count

CHECK = "CHECK:"
MIN_SHARE = 0.9
"""From this share of the messages on, the most frequent authority is proposed for those that name none."""

_KeyLines = dict[str, Callable[[], Iterator[str]]]
"""Keys of the file, each with the function that writes its lines where the file has no value yet."""


class SenderFile:
    """The proposed file of one sender."""

    def __init__(self, name: str, known: Sender | None, tally: FeedTally) -> None:
        self._name = name
        self._tally = tally
        self._kept = _values(known) if known else {}

    def text(self) -> str:
        """The whole file. The schema of senders accepts it where the feed names MSH-3 and MSH-4."""
        times = self._tally.times
        since = f" from {times.first_day} to {times.last_day}" if times.first_day else ""
        lines = [
            "#:schema ../sender.schema.json",
            toml.comment(
                f"{self._name}: proposed by `ens feed check` from"
                f" {count(self._tally.messages, 'message')}{since}."
            ),
            toml.comment(f"A person has to decide every line with {CHECK}"),
            "",
        ]
        tables = {name for name, value in self._kept.items() if isinstance(value, dict)}
        for key, proposed in self._values().items():
            lines += [toml.pair(key, self._kept[key])] if key in self._kept else proposed()
        written = {*self._values(), *self._tables()}
        others = [name for name in self._kept if name not in written]
        lines += [toml.pair(name, self._kept[name]) for name in others if name not in tables]
        for key, proposed in self._tables().items():
            kept = self._kept.get(key, {})
            entries = [*(toml.pair(name, value) for name, value in kept.items()), *proposed()]
            lines += ["", f"[{key}]", *entries] if entries else []
        for name in others:
            if name in tables:
                lines += ["", f"[{name}]"]
                lines += [toml.pair(one, value) for one, value in self._kept[name].items()]
        return "\n".join(lines) + "\n"

    def _values(self) -> _KeyLines:
        return {
            "sending_application": lambda: self._origin(0, "sending_application", "MSH-3.1"),
            "sending_facility": lambda: self._origin(1, "sending_facility", "MSH-4.1"),
            "networks": self._networks,
            "certificates": self._certificates,
            "trigger_events": self._trigger_events,
            "default_assigning_authority": self._authority,
            "assigning_authorities": self._further_authorities,
            "time_zone": self._time_zone,
            "date_order": self._date_order,
            "display_name": self._display_name,
            "phone": self._phone,
        }

    def _tables(self) -> _KeyLines:
        coded = self._tally.coded
        classes = "a class of HL7 table 0004, or OBS, S, V"
        types = "a type of HL7 table 0007"
        sexes = "a code of HL7 table 0001"
        return {
            "patient_classes": lambda: _codes(coded.classes, "PV1-2", classes, "I"),
            "admission_types": lambda: _codes(coded.admission_types, "PV1-4", types, "E"),
            "sexes": lambda: _codes(coded.sexes, "PID-8", sexes, "U"),
            "dispositions": self._dispositions,
            "units": self._units,
            "facilities": self._facilities,
            "facility_names": self._facility_names,
        }

    def _origin(self, index: int, key: str, position: str) -> Iterator[str]:
        shown = self._tally.origins.shown()
        value = shown[0][0][index] if shown else ""
        if not value:
            yield toml.comment(f"{CHECK} {position} is empty, or may be a patient's: ask for it.")
            yield toml.pair(key, "FILL-IN")
            return
        share = percent(shown[0][1], self._tally.messages)
        yield toml.comment(f"{CHECK} {position}, compared exactly; {share} of the messages.")
        yield toml.pair(key, value)

    def _networks(self) -> Iterator[str]:
        yield toml.comment(
            f"{CHECK} the addresses from which the hospital's interface engine connects."
        )
        yield '# networks = ["192.0.2.0/24"]'

    def _certificates(self) -> Iterator[str]:
        yield toml.comment(f"{CHECK} with mutual TLS, the name in the engine's client certificate.")
        yield '# certificates = [{ issuer = { CN = "Hospital CA" }, dns_name = "adt.hospital.example" }]'

    def _trigger_events(self) -> Iterator[str]:
        came = sorted(name for name in self._tally.decisions if name[1:].isdigit())
        yield toml.comment("All trigger events are accepted. Those of the feed:")
        yield toml.comment(toml.pair("trigger_events", came))

    def _authority(self) -> Iterator[str]:
        found = self._tally.coded.authorities
        total, shown = found.count(), found.shown()
        most = shown[0] if shown else None
        if most and most.messages >= MIN_SHARE * total:
            yield toml.comment(
                f"{CHECK} used where PID-3 names no authority; {percent(most.messages, total)} of the"
                " identifiers name this one."
            )
            yield toml.pair("default_assigning_authority", most.value)
            return
        named = ", ".join(one.value for one in shown[:6]) or "none that may be shown"
        yield toml.comment(
            f"{CHECK} the authority of identifiers that name none. In the feed: {named}."
        )
        yield '# default_assigning_authority = ""'

    def _further_authorities(self) -> Iterator[str]:
        shown = [one.value for one in self._tally.coded.authorities.shown()]
        default = self._kept.get("default_assigning_authority", shown[0] if shown else "")
        further = [name for name in shown if name != default]
        if further:
            yield toml.comment(
                f"{CHECK} further authorities whose identifiers this sender may assert. Those of the feed:"
            )
            yield toml.comment(toml.pair("assigning_authorities", further))

    def _time_zone(self) -> Iterator[str]:
        offsets = self._tally.times.offsets.most_common()
        total = sum(self._tally.times.offsets.values())
        named = ", ".join(f"{one} ({percent(n, total)})" for one, n in offsets[:4]) or NO_OFFSET
        yield toml.comment(
            f"{CHECK} the zone of times without an offset. Offsets of MSH-7: {named}."
        )
        yield '# time_zone = "America/Halifax"'

    def _date_order(self) -> Iterator[str]:
        """Nothing where no date is written with slashes or hyphens; else the order that others show."""
        forms = self._tally.times.date_forms
        if not forms:
            return
        shown = [order for order in ("dmy", "mdy") if forms[order]]
        counts = f"dmy {forms['dmy']:,}, mdy {forms['mdy']:,}, either {forms['either']:,}"
        yield toml.comment(f"{CHECK} the order of dates such as 03/04/1961. In the feed: {counts}.")
        line = toml.pair("date_order", shown[0] if shown else "dmy")
        yield line if len(shown) == 1 else toml.comment(line)

    def _display_name(self) -> Iterator[str]:
        yield toml.comment(f"{CHECK} the hospital's name and telephone number in notifications.")
        yield '# display_name = ""'

    def _phone(self) -> Iterator[str]:
        yield '# phone = ""'

    def _dispositions(self) -> Iterator[str]:
        coded = self._tally.coded
        texts = {one.read_as: one.value for one in reversed(coded.disposition_texts.shown())}
        shown = coded.dispositions.shown()
        if shown:
            yield toml.comment(
                f"{CHECK} PV1-36: words for readers, and `death = true` for a death."
            )
        for one in shown:
            entry: dict[str, Any] = {"text": texts.get(one.value, "") or "FILL IN"}
            if one.read_as:
                entry["death"] = True
            line = f"{toml.pair(one.value, entry)}  # {count(one.messages, 'message')}"
            # Without a known text a person has to find the meaning first.
            yield line if one.value in texts else toml.comment(line)
        yield from _hidden(coded.dispositions, "PV1-36")

    def _units(self) -> Iterator[str]:
        units = self._tally.coded.units
        yield from self._names("units", units, "PV1-3.1: the unit's name")
        yield from _hidden(units, "PV1-3.1")

    def _facilities(self) -> Iterator[str]:
        kept = self._kept.get("facilities", {})
        shown = self._tally.coded.facilities.shown()
        new = [one for one in shown if one.value not in (*kept, *kept.values())]
        if len(shown) > 1 and new:
            yield toml.comment(
                f"{CHECK} PV1-3.4: codes of one facility. A move between them is none."
            )
            for one in new:
                yield f"# {toml.pair(one.value, shown[0].value)}  # {count(one.messages, 'message')}"
        yield from _hidden(self._tally.coded.facilities, "PV1-3.4")

    def _facility_names(self) -> Iterator[str]:
        facilities = self._tally.coded.facilities
        yield from self._names("facility_names", facilities, "PV1-3.4: the facility's name")

    def _names(self, key: str, of: CodeField, asked: str) -> Iterator[str]:
        kept = self._kept.get(key, {})
        shown = [one for one in of.shown() if one.value not in kept]
        if shown:
            yield toml.comment(f"{CHECK} {asked} for readers.")
        for one in shown:
            yield f"# {toml.pair(one.value, 'FILL IN')}  # {count(one.messages, 'message')}"


def _codes(of: CodeField, position: str, allowed: str, example: str) -> Iterator[str]:
    """A line for each code: its reading, or a comment where it could not be read."""
    shown = of.shown()
    if shown:
        yield toml.comment(f"{CHECK} {position}; each is {allowed}.")
    for one in shown:
        yield _line(one, example)
    yield from _hidden(of, position)


def _line(one: ShownCode, example: str) -> str:
    messages = count(one.messages, "message")
    if one.read_as:
        return f"{toml.pair(one.value, one.read_as)}  # read so in {messages}"
    return toml.comment(f"{toml.pair(one.value, example)}  # not known; {messages}")


def _hidden(of: CodeField, position: str) -> Iterator[str]:
    hidden = of.hidden()
    if hidden.values:
        yield toml.comment(
            f"{count(hidden.values, 'value')} of {position} may be no code, and"
            f" {'is' if hidden.values == 1 else 'are'} not shown"
            f" ({count(hidden.messages, 'message')})."
        )


def _values(sender: Sender) -> dict[str, Any]:
    """The keys of an existing file that have a value."""
    given = asdict(sender)
    kept = {one.name: given[one.name] for one in fields(sender) if one.name != "name"}
    return {name: _without_empty(value) for name, value in kept.items() if not _is_empty(value)}


def _without_empty(value: Any) -> Any:
    """A table without its empty members: the schema has no empty texts."""
    if isinstance(value, dict):
        return {name: _without_empty(one) for name, one in value.items() if not _is_empty(one)}
    return [_without_empty(one) for one in value] if isinstance(value, tuple) else value


def _is_empty(value: Any) -> bool:
    """Whether a value is a default; the number 0 is not."""
    return value is None or value is False or value in ("", (), [], {})
