"""Patient events, and the documents and entries that the step writes."""

from typing import Any

from lambdas.common.audit import chain
from lambdas.common.contracts.document import read_as
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.common.contracts.message.patient import Patient, PatientIdentifier
from lambdas.common.contracts.message.person import Name
from lambdas.common.contracts.recipients.identities import Identities
from lambdas.lookup_identities.context import LookupContext
from tests.support.vault import read_json

EVENT_ID = "e" * 32


def patient_event(
    *identifiers: PatientIdentifier, sender: str = "northgen", **patient: Any
) -> PatientEvent:
    """An admission of this patient: Okafor's data where no other is given."""
    described: dict[str, Any] = {
        "name": Name("OKAFOR", "AMARA"),
        "birth_date": "1958-02-14",
        "sex": "F",
        **patient,
    }
    return PatientEvent(
        event_id=EVENT_ID,
        trigger_event="A01",
        event_kind=EventKind.ADMISSION,
        notifiable=True,
        hl7_version="2.5.1",
        sender=sender,
        patient=Patient(identifiers=identifiers, **described),
    )


def northgen(value: str) -> PatientIdentifier:
    """A record number of the hospital."""
    return PatientIdentifier(value, "NORTHGEN", identifier_type="MR")


OKAFOR = patient_event(northgen("H00412"))
REHAK = patient_event(
    northgen("H00618"), name=Name("Rehak", "Tomas"), birth_date="1949-12-05", sex="M"
)
BRANDT = patient_event(northgen("H00533"), name=Name("Brandt", "Lena"), birth_date="1971-09-30")


def reference(context: LookupContext, kind: str, value: str) -> str:
    """The keyed reference of a value."""
    return context.reference_keys.reference(kind, value)


def stored(context: LookupContext, version_id: str) -> Identities:
    """The result that the step has written to the vault."""
    return read_as(Identities, read_json(context, EVENT_ID, "identities.json", version_id))


def actions(context: LookupContext) -> list[tuple[str, str]]:
    """Action and outcome of the event's audit entries."""
    return [(entry["action"], entry["outcome"]) for entry in chain.entries(context, EVENT_ID)]
