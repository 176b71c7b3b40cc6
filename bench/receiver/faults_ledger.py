"""Compares the durable stub's content after a fault run with the messages that got AA."""

import base64
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from bench.receiver.processes import BUCKET
from bench.receiver.stub_services import SECRET
from hl7.header import find_header
from hl7.identity import event_id
from receiver.intake.reference_key import ReferenceKey

KEY = ReferenceKey.from_secret(SECRET)


@dataclass
class Findings:
    """The counts at the end of a run. All lists should be empty."""

    accepted: int = 0
    objects: int = 0
    envelopes: int = 0
    distinct: int = 0
    not_in_vault: list[str] = field(default_factory=list)
    not_on_queue: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    wrong_bytes: list[str] = field(default_factory=list)
    out_of_order: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return not (
            self.not_in_vault
            or self.not_on_queue
            or self.twice
            or self.wrong_bytes
            or self.out_of_order
        )

    def lines(self) -> list[str]:
        """The findings, to be printed."""
        return [
            f"acknowledged AA {self.accepted}; objects in the vault {self.objects}; envelopes sent"
            f" {self.envelopes}, after deduplication {self.distinct}",
            f"lost from the vault {len(self.not_in_vault)}, from the queue"
            f" {len(self.not_on_queue)}; there twice {len(self.twice)}; other bytes than the"
            f" envelope says {len(self.wrong_bytes)}; out of order {len(self.out_of_order)}",
        ]


@dataclass
class _Kept:
    """The content of the stub's file: objects by key and version, and the queue's messages."""

    objects: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    queued: Counter[str] = field(default_factory=Counter)
    envelopes: dict[str, dict[str, str]] = field(default_factory=dict)
    order: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    lines: int = 0


def _read(durable: Path) -> _Kept:
    kept = _Kept()
    with durable.open() as lines:
        for text in lines:
            line = json.loads(text)
            if "put" in line:
                body = base64.b64decode(line["body"])
                sha256 = hashlib.sha256(body).hexdigest()
                kept.objects[line["put"]][line["version"]] = KEY.reference("digest", sha256)
                continue
            kept.lines += 1
            if not line["duplicate"]:
                event = line["deduplication"]
                kept.queued[event] += 1
                kept.envelopes[event] = json.loads(line["queue"])
                kept.order[line["group"]].append(event)
    return kept


def examine(durable: Path, accepted: Mapping[str, bytes]) -> Findings:
    """Finds lost, doubled, wrong or misordered messages. `accepted` maps MSH-10 to a message that got AA."""
    kept = _read(durable)
    found = Findings(
        accepted=len(accepted),
        envelopes=kept.lines,
        objects=len(kept.objects),
        distinct=len(kept.queued),
    )
    names = {}
    for name, message in accepted.items():
        header = find_header(message)
        assert header is not None
        event = event_id(header, "northtown")
        names[event] = name
        envelope = kept.envelopes.get(event)
        if envelope is None:
            found.not_on_queue.append(name)
        elif kept.queued[event] > 1:
            found.twice.append(name)
        versions = kept.objects.get(f"/{BUCKET}/events/{event}/message.hl7", {})
        if not versions:
            found.not_in_vault.append(name)
        elif len(versions) > 1:
            found.twice.append(name)
        elif envelope and versions.get(envelope["version_id"]) != envelope["digest"]:
            found.wrong_bytes.append(name)
    for events in kept.order.values():
        told = [names[event] for event in events if event in names]
        found.out_of_order += [b for a, b in pairwise(told) if b < a]
    return found
