"""Reads the audit of a patient, of a provider or of a notice, over any period.

The indexes `by_patient` and `by_recipient` hold all attributes, so that a year is a few pages of a Query
and no call for each event (docs/adr/0285-audit-indexes-of-people.md).
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from lambdas.common.audit import chain
from lambdas.common.aws.item_reads import query
from lambdas.common.contracts.audit import AuditAction
from lambdas.delivery.ledger.context import LedgerContext
from ops.audit.entries import readable
from ops.aws_calls import side_by_side
from ops.disclosures.records import (
    FEEDBACK,
    AuditReading,
    Disclosure,
    disclosures,
    merged_from,
    readings,
)
from ops.events.long_reads import entries, long_reads
from ops.events.timeline import Entry
from ops.period import Period
from ops.problem import ProblemError

AROUND = timedelta(days=4)
"""Days read before and after a period: a held mail goes a day later, and a mail bounces up to three days later."""

SENDINGS = {AuditAction.SENT, AuditAction.TOLD_TOO, AuditAction.UNKNOWN}
LATER = {AuditAction.ALREADY_SENT, *FEEDBACK}
"""Entries that come after the one of the sending, perhaps weeks later."""


@dataclass(frozen=True, slots=True)
class DisclosureAccount:
    """The answer to a question: the records of the period, and the earlier readings of the audit."""

    references: tuple[str, ...]
    disclosures: list[Disclosure]
    readings: list[AuditReading]


def of_patient(
    context: LedgerContext, references: Iterable[str], period: Period
) -> DisclosureAccount:
    """Returns what was told about the patient with these references.

    Patients who were merged into this one are read too, as the audit names them.
    """
    read: dict[str, list[Entry]] = {}
    wanted = set(references)
    while wanted:
        for reference in sorted(wanted):
            read[reference] = _entries(context, "by_patient", "patient_ref", reference, period)
        wanted = {one for found in read.values() for one in merged_from(found)} - read.keys()
    return _account(context, read, period)


def of_provider(
    context: LedgerContext, references: Iterable[str], period: Period
) -> DisclosureAccount:
    """Returns what the provider with these references was told."""
    return _account(
        context,
        {
            reference: _entries(context, "by_recipient", "recipient_ref", reference, period)
            for reference in references
        },
        period,
    )


def event_of_notice(context: LedgerContext, reference: str, period: Period) -> list[str]:
    """Returns the ids of the events that begin with a notice's reference, received in the period.

    The index `by_day` of the statuses is read day by day: a year of a million events is some 350 pages.
    """
    prefix = reference.lower()

    def of_day(day: str) -> list[str]:
        found = query(
            context,
            context.settings.status_table,
            "#day = :day",
            {":day": day, ":prefix": prefix},
            IndexName="by_day",
            FilterExpression="begins_with(event_id, :prefix)",
            ProjectionExpression="event_id",
        )
        return [item["event_id"] for item in found]

    return sorted({one for found in side_by_side(of_day, period.days()) for one in found})


def patients_of_event(context: LedgerContext, event_id: str) -> set[str]:
    """Returns the patient references in an event's chain.

    Raises `ProblemError` where its notices are about two patients: the event moved a stay from one to the
    other.
    """
    found = readable(chain.entries(context, event_id))
    told = (one for entry in found for one in entry.get("recipients") or ())
    if any(one.get("other_patient") for one in told):
        raise ProblemError(
            "The event moved a stay to another patient, so that its notices are about two patients:"
            " use --identifier, or the reference of an earlier notice."
        )
    return {one["patient_ref"] for one in found if one.get("patient_ref")}


def _account(
    context: LedgerContext, read: dict[str, list[Entry]], period: Period
) -> DisclosureAccount:
    whole = [one for found in read.values() for one in found]
    whole += _sent_before(context, whole)
    return DisclosureAccount(
        tuple(read),
        [one for one in disclosures(whole) if period.holds(one.time)],
        [one for one in readings(whole) if period.holds(one.time)],
    )


def _sent_before(context: LedgerContext, read: Iterable[Entry]) -> list[Entry]:
    """Returns the entries of sendings that were not read, of deliveries that were replayed or came back.

    Without them the replay, or SES's late report, would count as the disclosure.
    """
    actions: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for one in read:
        actions[_delivery(one)].add(one["action"])
    later = {at for at, found in actions.items() if found & LATER and not found & SENDINGS}
    return [
        one
        for event_id in sorted({event_id for event_id, *_ in later})
        for one in readable(chain.entries(context, event_id))
        if one["action"] in SENDINGS and _delivery(one) in later
    ]


def _delivery(entry: Entry) -> tuple[str, ...]:
    """Event, recipient and delivery of an entry."""
    names = ("event_id", "recipient_ref", "delivery_id")
    return tuple(entry.get(name) or "" for name in names)


def _entries(
    context: LedgerContext, index: str, name: str, reference: str, period: Period
) -> list[Entry]:
    return readable(
        entries(
            long_reads(context),
            context.settings.audit_table,
            f"{name} = :reference AND #time BETWEEN :since AND :until",
            {
                ":reference": reference,
                ":since": (period.since - AROUND).isoformat(),
                # "T24" sorts after every moment of the day.
                ":until": f"{(period.until + AROUND).isoformat()}T24",
            },
            IndexName=index,
        )
    )
