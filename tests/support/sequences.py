"""Encounter sequences through the whole workflow: messages in, and each mail as its reader sees it.

The sequences are not part of the project. They are read from `../shared/cases/encounters`, beside the
checkout, whose README defines them. tests/support/encounter_cases.py plays the same against the rules
alone.
"""

import csv
import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import boto3
from moto.ses.models import ses_backends

from hl7.mllp import wrap
from lambdas.common.aws.items import to_item
from lambdas.registry.importing.plan import items_of_folder
from tests.conftest import ROOT
from tests.support.encounter_cases import ZONES, filled
from tests.support.feed_system import FeedSystem
from tests.support.workflow import ACCOUNT

FOLDER = ROOT.parent / "shared" / "cases" / "encounters"

COLUMNS = {
    "patients": ("patient_id", "family", "given", "birth_date", "sex", "merged_into"),
    "identifiers": ("authority", "value", "patient_id", "provider_id"),
    "providers": ("provider_id", "prefix", "given", "family", "npi", "email", "active", "kind"),
    "relationships": ("patient_id", "provider_id", "relationship", "active"),
}
"""The columns of the registry's files; a column that a sequence leaves out is empty."""

WITHDRAWN = {
    "death": "cancel_death",
    "discharge": "cancel_discharge",
    "transfer": "cancel_transfer",
    "": "cancel_admission",
}
KINDS = (
    ("correction", r"correct|amended|no longer|not an inpatient|wrong patient|in error"),
    ("update", r"update|additional|now known"),
    ("death", r"death|has died"),
    ("transfer", r"transfer"),
    ("ed_discharge", r"(discharge|left)[^.]*emergency|emergency[^.]*(discharge|left)"),
    ("discharge", r"discharge"),
    ("observation", r"observation"),
    ("ed_registration", r"emergency"),
    ("admission", r"admi(ssion|tted)"),
    ("registration", r"regist"),
)
"""The kinds of notices by the words of subject, title and first sentence; the first that fits."""

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class ReceivedMail:
    """A mail: its recipient's address, and subject and plain text."""

    address: str
    subject: str
    text: str

    @property
    def kind(self) -> str:
        """The kind of notice that its subject, title and first sentence name."""
        lines = [line for line in self.text.splitlines() if line.strip()]
        head = "\n".join([self.subject, *lines[1:3]]).lower()
        if re.search("cancelled|withdrawn|retracted|does not hold", head):
            return next(kind for word, kind in WITHDRAWN.items() if word in head)
        return next((kind for kind, words in KINDS if re.search(words, head)), "")


@dataclass(frozen=True, slots=True)
class Sequence:
    """One sequence: its registry rows, the texts of its messages, and the expected outcome of each."""

    name: str
    registry: dict[str, list[dict[str, str]]] = field(repr=False)
    texts: list[str] = field(repr=False)
    expect: list[dict[str, Any]] = field(repr=False)

    def faults(self, outcomes: list[tuple[str, list[ReceivedMail]]]) -> list[str]:
        """The messages whose outcome is none of the acceptable ones, in words; empty when all are."""
        addresses = {row["provider_id"]: row["email"] for row in self.registry["providers"]}
        return [
            f"message {number}: {status}, {[(mail.address, mail.kind) for mail in mails]}"
            for number, ((status, mails), expected) in enumerate(
                zip(outcomes, self.expect, strict=True), start=1
            )
            if not (status == "COMPLETED" or (expected.get("may_fail") and not mails))
            or not any(_met(mails, one, addresses) for one in expected["any_of"])
        ]


def sequences(folder: Path = FOLDER) -> list[Sequence]:
    """All sequences of the folder, by name; none where the folder is absent."""
    return [_sequence(file) for file in sorted(folder.glob("*/sequence.json"))]


def _sequence(file: Path) -> Sequence:
    content = json.loads(file.read_text("utf-8"))
    texts = [(file.parent / name).read_text("utf-8") for name in content["messages"]]
    return Sequence(file.parent.name, content["registry"], texts, content["expect"])


def _met(mails: list[ReceivedMail], outcome: list[dict[str, Any]], addresses: Any) -> bool:
    """Whether each expected notice has a mail of its own, and no mail is left."""
    if len(mails) != len(outcome):
        return False
    return any(
        all(_fits(mail, wanted, addresses) for mail, wanted in zip(order, outcome, strict=True))
        for order in itertools.permutations(mails)
    )


def _fits(mail: ReceivedMail, wanted: dict[str, Any], addresses: Any) -> bool:
    content = f"{mail.subject}\n{mail.text}"
    return (
        mail.address in {addresses[one] for one in _listed(wanted["to"])}
        and mail.kind in _listed(wanted["kind"])
        and all(re.search(said, content, re.IGNORECASE) for said in wanted.get("must_say", ()))
        and not any(re.search(s, content, re.IGNORECASE) for s in wanted.get("must_not_say", ()))
    )


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


class SequenceSystem(FeedSystem):
    """Plays sequences side by side: each has people, providers and numbers of its own."""

    def play(self, sequence: Sequence, folder: Path) -> list[tuple[str, list[ReceivedMail]]]:
        """The status and the mails of each message; the registry's rows are imported first, by `folder`."""
        for item in _items(sequence, folder):
            boto3.client("dynamodb").put_item(TableName="registry", Item=to_item(item))
        run = next(_numbers)
        return [
            self._outcome(text, f"{run}-{number}", run)
            for number, text in enumerate(sequence.texts, start=1)
        ]

    def _outcome(self, text: str, message_id: str, run: int) -> tuple[str, list[ReceivedMail]]:
        """The status and the mails of one message, its placeholders filled in."""
        zone = next(zone for name, zone in ZONES.items() if f"|{name}|" in text)

        def number(name: str) -> str:
            return f"S{message_id}" if name == "id" else f"{name}-{run}"

        er7 = filled(text, datetime.now(UTC), number, zone).replace("\n", "\r")
        sent_before = len(list(_sent()))
        answers, (outcome,) = self.send(wrap(er7.encode()))
        assert answers == ["accepted"]
        return outcome.status, [_mail(one) for one in list(_sent())[sent_before:]]


def _items(sequence: Sequence, folder: Path) -> list[dict[str, Any]]:
    for name, columns in COLUMNS.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            rows = csv.DictWriter(file, columns)
            rows.writeheader()
            rows.writerows(sequence.registry[name])
    return items_of_folder(folder)


def _sent() -> Iterator[Any]:
    yield from ses_backends[ACCOUNT]["us-east-1"].sent_messages


def _mail(sent: Any) -> ReceivedMail:
    parsed = message_from_bytes(sent.raw_data.encode(), policy=policy.default)
    body = parsed.get_body(("plain",))
    return ReceivedMail(parsed["to"], parsed["subject"], body.get_content() if body else "")
