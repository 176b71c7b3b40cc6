"""The contracts: documents of every version are readable, and the schemas are those of the code."""

import dataclasses
import enum
import json
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lambdas.common.contracts.document import read_as, to_document
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.event_kind import CANCELS, NOTIFIED, EventKind
from lambdas.common.contracts.message.practitioner import PractitionerRole
from lambdas.common.contracts.recipients.consent import Consent
from lambdas.common.contracts.recipients.recipient import RecipientReason, RelationshipType
from lambdas.common.contracts.workflow.delivery_states import DeliveryState
from lambdas.common.contracts.workflow.envelope import Envelope
from lambdas.common.contracts.workflow.tasks import ReleaseOutcome
from lambdas.common.errors import ContractError
from ops.reference.contracts import CONTRACTS, FOLDER, file_of, schema_of

VERSIONS = Path(__file__).resolve().parents[4] / "contracts"
SECRET = "Okonjo"


def documents(version: Path, name: str) -> list[dict[str, Any]]:
    """The kept documents of a contract in one version."""
    found = json.loads((version / f"{name}.json").read_text("utf-8"))
    return found if isinstance(found, list) else [found]


KEPT = [
    pytest.param(name, document, id=f"{version.name}-{name}-{number}")
    for version in sorted(VERSIONS.glob("v*"))
    for name in CONTRACTS
    for number, document in enumerate(documents(version, name))
]


@cache
def validator(name: str) -> jsonschema.Draft202012Validator:
    """The published schema of a contract, which is checked once: that takes longer than a document."""
    schema = json.loads(file_of(name).read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def holds(read: Any, kept: Any) -> bool:
    """Whether a value holds everything that is in a kept document; it may hold more."""
    if isinstance(kept, dict):
        return all(name in read and holds(read[name], value) for name, value in kept.items())
    if isinstance(kept, list):
        return len(read) == len(kept) and all(map(holds, read, kept))
    return bool(read == kept)


@pytest.mark.parametrize(("name", "document"), KEPT)
def test_a_document_of_every_version_is_read_without_loss(
    name: str, document: dict[str, Any]
) -> None:
    assert holds(to_document(read_as(CONTRACTS[name], document)), document)


@pytest.mark.parametrize(("name", "document"), KEPT)
def test_a_document_of_every_version_fits_the_published_schema(
    name: str, document: dict[str, Any]
) -> None:
    validator(name).validate(document)


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_member_without_a_default_was_in_the_first_version_already(name: str) -> None:
    required = {
        field.name
        for field in dataclasses.fields(CONTRACTS[name])
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    assert all(required <= document.keys() for document in documents(VERSIONS / "v1", name))


def test_the_schemas_are_those_of_the_code_today() -> None:
    """After a change of a contract: `make contracts`."""
    assert {file.name for file in FOLDER.iterdir()} == {file_of(n).name for n in CONTRACTS}
    for name, contract in CONTRACTS.items():
        assert file_of(name).read_text("utf-8") == schema_of(contract), name


EVENT = documents(VERSIONS / "v1", "event")[0]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"event_kind": SECRET}, "event_kind is not of its type"),
        ({"patient": {"name": {"family": 7}}}, "patient.name.family is not of its type"),
        ({"notes": [{"text": SECRET}]}, "notes[0].field is missing"),
        ({"notifiable": SECRET}, "notifiable is not of its type"),
        ({"warnings": [SECRET]}, "warnings[0] is not of its type"),
    ],
)
def test_a_document_that_does_not_fit_is_rejected_by_member_and_never_by_value(
    changes: dict[str, Any], fault: str
) -> None:
    with pytest.raises(ContractError) as rejected:
        read_as(PatientEvent, {**EVENT, **changes})
    assert str(rejected.value) == f"PatientEvent: {fault}"
    assert rejected.value.__cause__ is None


@pytest.mark.parametrize("missing", ["event_id", "version_id", "sender"])
def test_a_queue_message_without_a_member_is_rejected(missing: str) -> None:
    message = documents(VERSIONS / "v1", "queue-message")[0]
    del message[missing]
    with pytest.raises(ContractError, match=f"Envelope: {missing} is missing"):
        read_as(Envelope, message)


def test_threads_read_documents_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that read a class for the first time end the process in msgspec 0.22."""
    inside, at_once = list[int](), list[int]()

    def convert(*_: Any) -> None:
        inside.append(1)
        time.sleep(0.01)
        at_once.append(len(inside))
        inside.pop()

    monkeypatch.setattr("lambdas.common.contracts.document.msgspec.convert", convert)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: read_as(PatientEvent, EVENT), range(4)))
    assert at_once == [1] * 4


def test_a_member_that_a_later_version_adds_is_ignored() -> None:
    assert read_as(PatientEvent, {**EVENT, "added_later": 1}) == read_as(PatientEvent, EVENT)


def test_no_part_of_a_patient_is_in_the_text_of_an_event() -> None:
    shown = repr(read_as(PatientEvent, EVENT))
    for value in (SECRET, "Amaka", "1958", "H1", "V884213", "NG-1", "pt well", "Barros"):
        assert value not in shown


def test_no_provider_and_no_evidence_of_a_consent_is_in_its_text() -> None:
    consent = {
        "consent_id": "c-1",
        "direction": "deny",
        "provider_id": "lindqvist",
        "evidence": "form of Amaka Okafor",
    }
    shown = repr(read_as(Consent, consent))
    assert not [value for value in ("lindqvist", "Amaka") if value in shown]


def test_a_recipient_may_be_told_for_every_relationship_and_every_role() -> None:
    given: set[enum.StrEnum] = {*RelationshipType, *PractitionerRole}
    assert given <= set(RecipientReason)


def test_every_kind_but_one_about_an_earlier_notice_can_be_cancelled() -> None:
    cancelled = {kind for kinds in CANCELS.values() for kind in kinds}
    about_an_earlier_notice = {*CANCELS, EventKind.CORRECTION, EventKind.UPDATE}
    assert cancelled | about_an_earlier_notice == set(NOTIFIED) == set(EventKind) - {EventKind.NONE}


def test_every_state_of_a_delivery_is_an_outcome_of_a_release() -> None:
    assert {str(state) for state in DeliveryState} <= {str(outcome) for outcome in ReleaseOutcome}
