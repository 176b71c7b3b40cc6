"""Plays encounter sequences against the rules in memory: ParseMessage's reading, then the decision.

A sequence is a folder with `sequence.json` and its messages (the README beside them has the format).
Recipients are those whom the registry rows relate to the patient; the told ones come from a small
ledger. Policy and text are not played here, so `must_say` is not checked.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bench.encounters.memory import MemoryStore
from hl7 import er7
from lambdas.common.clock import iso
from lambdas.common.contracts.encounters.encounter import Audience, Decision
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.common.errors import EnsError
from lambdas.common.keys import KeyRing
from lambdas.parse_message.read_event import read_event
from lambdas.track_encounter.history import situation_of
from lambdas.track_encounter.profile import EncounterProfile
from lambdas.track_encounter.reading import encounter_message
from lambdas.track_encounter.tracking import track

RING = KeyRing("k1", {"k1": b"a key of tests"})
ZONES = {"NORTHGEN": "America/Halifax", "STMARY": "America/Toronto"}
_PLACEHOLDER = re.compile(r"\{([^}]+)\}")
_SPAN = re.compile(r"(\d+)([dhm])")
_UNITS = {"d": 1440, "h": 60, "m": 1}


@dataclass(slots=True)
class Player:
    """Plays one sequence's messages; `told` is (event, kind, recipient) in order."""

    registry: dict[str, Any]
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    store: MemoryStore = field(default_factory=MemoryStore)
    told: list[tuple[str, EventKind, str]] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    profiles: dict[str, EncounterProfile] = field(default_factory=dict)
    count: int = 0

    def play(self, text: str) -> list[tuple[str, str]]:
        """The notices of one message as (provider, kind); [] where the event ends as a dead letter."""
        self.count += 1
        raw = filled(text, self.now, self._number).replace("\n", "\r").encode()
        message = er7.read(raw)
        sender = message.first("MSH").part(4)
        event_id = f"e{self.count:03}"
        event = read_event(raw, event_id, sender, ZoneInfo(ZONES.get(sender, "UTC")))
        profile = self.profiles.get(sender, EncounterProfile(name=sender, default_authority=sender))
        facts = encounter_message(event, profile, RING, iso(self.now))
        try:
            decision = track(self.store, facts, profile, lambda: self.now)
        except EnsError:
            return []
        self.decisions.append(decision)
        patient = self._patient(message)
        return list(self._notices(decision, patient))

    def _notices(self, decision: Decision, patient: str) -> Iterator[tuple[str, str]]:
        for notice in decision.notices:
            team = self._team(patient, decision, notice.kind)
            told = {to for event, _, to in self.told if event in notice.about}
            to = {
                Audience.TEAM: team,
                Audience.TOLD: sorted(told),
                Audience.UNTOLD: [one for one in team if one not in told],
            }[notice.audience]
            for one in to:
                self.told.append((decision.event_id, notice.kind, one))
                yield one, notice.kind

    def _patient(self, message: er7.Message) -> str:
        values = {value.component(1) for value in message.first("PID").repetitions(3)}
        merged = {p["patient_id"]: p.get("merged_into", "") for p in self.registry["patients"]}
        for row in self.registry["identifiers"]:
            if row["value"] in values and row.get("patient_id"):
                return merged.get(row["patient_id"]) or str(row["patient_id"])
        return ""

    def _team(self, patient: str, decision: Decision, kind: EventKind) -> list[str]:
        rows = self.registry["relationships"]
        team = [row["provider_id"] for row in rows if row["patient_id"] == patient]
        if kind in (EventKind.DISCHARGE, EventKind.ED_DISCHARGE):
            team += self._destination(decision)
        return list(dict.fromkeys(team))

    def _destination(self, decision: Decision) -> list[str]:
        """The facility that PV1-37 names."""
        for stored in self.store.homes.values():
            if stored.encounter.encounter_id == decision.encounter_id:
                code = situation_of(stored.encounter.events).facts.discharged_to
                rows = self.registry["identifiers"]
                return [
                    r["provider_id"] for r in rows if r.get("provider_id") and r["value"] == code
                ]
        return []

    def _number(self, name: str) -> str:
        return f"M{self.count}" if name == "id" else f"N-{name}"


def filled(text: str, now: datetime, number: Callable[[str], str], zone: str = "") -> str:
    """The message with its placeholders filled in: times before `now`, and the `number` of each other name."""
    local = now.astimezone(ZoneInfo(zone or ZONES["NORTHGEN"]))
    return _PLACEHOLDER.sub(
        lambda found: _time(found[1], local) if found[1].startswith("-") else number(found[1]), text
    )


def _time(name: str, now: datetime) -> str:
    """The time of a placeholder such as `-1h30m`, `-26h local` and `-26h day`."""
    moment = now - timedelta(minutes=sum(int(n) * _UNITS[u] for n, u in _SPAN.findall(name)))
    if name.endswith("day"):
        return moment.strftime("%Y%m%d")
    return moment.strftime("%Y%m%d%H%M%S" if name.endswith("local") else "%Y%m%d%H%M%S%z")


def fits(got: list[tuple[str, str]], any_of: list[list[dict[str, Any]]]) -> bool:
    """Whether the notices are one of the acceptable outcomes."""
    return any(_matches(list(got), outcome) for outcome in any_of)


def _matches(got: list[tuple[str, str]], outcome: list[dict[str, Any]]) -> bool:
    for wanted in outcome:
        to = wanted["to"] if isinstance(wanted["to"], list) else [wanted["to"]]
        kinds = wanted["kind"] if isinstance(wanted["kind"], list) else [wanted["kind"]]
        for one in got:
            if one[0] in to and one[1] in kinds:
                got.remove(one)
                break
        else:
            return False
    return not got


def sequences(folder: Path) -> list[Path]:
    """The folders with a sequence."""
    return sorted(file.parent for file in folder.glob("*/sequence.json"))


def load(folder: Path) -> dict[str, Any]:
    """The sequence of a folder, with the texts of its messages in `texts`."""
    sequence: dict[str, Any] = json.loads((folder / "sequence.json").read_text("utf-8"))
    sequence["texts"] = [(folder / name).read_text("utf-8") for name in sequence["messages"]]
    return sequence
