"""Merges the details of later events into the event of a notice that waited."""

from collections.abc import Iterable
from dataclasses import fields, replace
from typing import TypeVar

from lambdas.common.contracts.encounters.encounter import Decision
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.patient import Patient
from lambdas.common.contracts.message.practitioner import Practitioner
from lambdas.common.contracts.message.visit import Visit

T = TypeVar("T", Patient, Visit)


def updated(event: PatientEvent, later: Iterable[PatientEvent]) -> PatientEvent:
    """The event with each detail as the newest event gives it; an absent one stays as it was.

    An A08 is a snapshot in most feeds and holds only the changed fields in some (HL7 2.5.1, 3.3.8). The
    kind, times, notes and decision stay those of the event that is told, because the findings of the notes
    were read before. The stay's marks are joined.
    """
    for one in later:
        event = replace(
            event,
            patient=_newest(event.patient, one.patient),
            visit=_newest(event.visit, one.visit),
            practitioners=_practitioners(event.practitioners, one.practitioners),
            diagnoses=one.diagnoses or event.diagnoses,
            decision=_marked(event.decision, one.decision),
        )
    return event


def _marked(decision: Decision | None, later: Decision | None) -> Decision | None:
    """The decision with the marks that a later event added to the stay: none of them leaves it again."""
    if decision is None or later is None:
        return decision
    return replace(decision, marks=decision.marks.joined(later.marks))


def _newest(before: T, later: T) -> T:
    """The members of the later one where it has any; an empty object counts as none."""
    nothing = type(later)()
    given = {
        field.name: value
        for field in fields(later)
        if (value := getattr(later, field.name)) != getattr(nothing, field.name)
    }
    return replace(before, **given)


def _practitioners(
    before: tuple[Practitioner, ...], later: tuple[Practitioner, ...]
) -> tuple[Practitioner, ...]:
    """The later practitioners, and those of before in roles that the later ones do not name."""
    roles = {one.role for one in later}
    return (*later, *(one for one in before if one.role not in roles))
