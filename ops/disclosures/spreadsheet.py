"""Disclosures as CSV, one row for each record."""

from collections.abc import Iterable
from typing import TextIO

from ops.disclosures.records import Disclosure
from ops.disclosures.subjects import Names
from ops.output import write_csv

COLUMNS = (
    *("time", "event_id", "notice_reference", "event_kind", "sender", "patient_ref"),
    *("outcome", "because", "recipient_ref", "recipient", "npi", "relationships", "channel"),
    *("detail", "reduced", "left_out", "policy_file", "policy_rule", "policy_version"),
    *("consent_id", "delivery_id", "told_with", "feedback", "feedback_time"),
)


def write(records: Iterable[Disclosure], names: Names, out: TextIO) -> None:
    """Writes a heading and one row for each record."""
    write_csv(COLUMNS, (_cells(one, names) for one in records), out)


def _cells(one: Disclosure, names: Names) -> tuple[str, ...]:
    known = names.get(one.recipient_ref)
    return (
        *(one.time, one.event_id, one.reference, one.event_kind, one.sender, one.patient_ref),
        *(one.fate, one.because, one.recipient_ref),
        *((known.name, known.npi) if known else ("", "")),
        *(" ".join(one.relationships), one.channel, one.detail, one.reduced),
        *(" ".join(one.rule.left_out), one.rule.file, one.rule.rule, one.rule.version),
        *(one.rule.consent_id, one.delivery_id, one.told_with, one.feedback, one.feedback_time),
    )
