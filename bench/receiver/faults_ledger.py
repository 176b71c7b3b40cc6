"""What a durable stub holds after a fault run, held against what the senders got AA for."""

import base64
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from hl7.header import event_id, find_header


@dataclass
class Findings:
    """Counts of a run's end; all the lists are to be empty."""

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


def examine(durable: Path, accepted: Mapping[str, bytes]) -> Findings:
    """What is lost, doubled, wrong or out of order. `accepted` maps MSH-10 to a message that got AA."""
    objects: dict[str, dict[str, str]] = defaultdict(dict)  # key -> version -> sha256
    queued: Counter[str] = Counter()
    envelopes: dict[str, dict[str, str]] = {}
    order: dict[str, list[str]] = defaultdict(list)
    found = Findings(accepted=len(accepted))
    with durable.open() as lines:
        for text in lines:
            line = json.loads(text)
            if "put" in line:
                body = base64.b64decode(line["body"])
                objects[line["put"]][line["version"]] = hashlib.sha256(body).hexdigest()
                continue
            found.envelopes += 1
            if not line["duplicate"]:
                event = line["deduplication"]
                queued[event] += 1
                envelopes[event] = json.loads(line["queue"])
                order[line["group"]].append(event)
    found.objects, found.distinct = len(objects), len(queued)
    names = {}
    for name, payload in accepted.items():
        header = find_header(payload)
        assert header is not None
        event = event_id(header)
        names[event] = name
        envelope = envelopes.get(event)
        if envelope is None:
            found.not_on_queue.append(name)
        elif queued[event] > 1:
            found.twice.append(name)
        versions = objects.get(f"/vault/events/{event}/message.hl7", {})
        if not versions:
            found.not_in_vault.append(name)
        elif len(versions) > 1:
            found.twice.append(name)
        elif envelope and versions.get(envelope["version_id"]) != envelope["sha256"]:
            found.wrong_bytes.append(name)
    for events in order.values():
        told = [names[event] for event in events if event in names]
        found.out_of_order += [b for a, b in pairwise(told) if b < a]
    return found
