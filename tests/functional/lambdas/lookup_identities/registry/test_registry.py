from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lambdas.common.aws.clients import client
from lambdas.common.contracts.event import EventKind, PatientEvent
from lambdas.common.contracts.patient import Patient, PatientIdentifier
from lambdas.common.contracts.person import Name
from lambdas.common.contracts.visit import Visit
from lambdas.common.errors import ConfigurationError, DependencyUnavailableError
from lambdas.common.keys import reference_keys
from lambdas.lookup_identities.registry import table
from lambdas.lookup_identities.registry.items import items
from lambdas.lookup_identities.resolving import resolve
from tests.functional.lambdas.lookup_identities.conftest import Item


def test_ten_recipients_cost_two_round_trips(aws: Any, file_item: Callable[[Item], None]) -> None:
    ids = [f"dr-{number}" for number in range(10)]
    patient = {"patient_id": "p", "family": "Okafor", "given": "", "birth_date": "", "sex": ""}
    identifier = {"authority": "A", "value": "1", "patient_id": "p", "provider_id": ""}
    rest = {"prefix": "", "given": "", "family": "X", "npi": "", "active": ""}
    for item in items(
        [patient],
        [identifier],
        [{"provider_id": i, "email": f"{i}@clinic.example", **rest} for i in ids],
        [
            {"patient_id": "p", "provider_id": i, "relationship": "care_team", "active": ""}
            for i in ids
        ],
    ):
        file_item(item)
    calls: list[str] = []
    client("dynamodb").meta.events.register(
        "before-call.dynamodb", lambda model, **_: calls.append(model.name)
    )
    described = Patient(identifiers=(PatientIdentifier("1", "A"),), name=Name("Okafor"))
    identities = resolve(
        PatientEvent("e", "A01", EventKind.ADMISSION, True, "2.5", patient=described), ""
    )
    assert identities is not None
    assert len(identities.recipients) == 10
    assert calls == ["BatchGetItem", "BatchGetItem"]


def test_more_keys_than_a_batch_takes_are_asked_for_in_several(
    aws: Any, file_item: Callable[[Item], None]
) -> None:
    file_item({"pk": "identifier#A#249", "sk": "patient", "patient_id": "p"})
    pairs = [("A", str(number)) for number in range(250)]
    assert table.filed_under([*pairs, *pairs], []).patients == {("A", "249"): ("p",)}


def test_nothing_to_look_up_makes_no_call(environment: dict[str, str]) -> None:
    found = table.filed_under([], [])
    assert (found.patients, found.providers) == ({}, {})


@pytest.mark.parametrize(("unprocessed", "recovers"), [(1, True), (99, False)])
def test_keys_left_unprocessed_are_asked_for_again_and_at_last_count_as_throttling(
    aws: Any,
    file_item: Callable[[Item], None],
    monkeypatch: pytest.MonkeyPatch,
    unprocessed: int,
    recovers: bool,
) -> None:
    file_item({"pk": "identifier#A#1", "sk": "patient", "patient_id": "p"})
    monkeypatch.setattr("lambdas.lookup_identities.registry.table.time.sleep", lambda _: None)
    dynamodb, answers = client("dynamodb"), []

    def leave_unprocessed(parsed: dict[str, Any], **_: Any) -> None:
        answers.append(parsed)
        if len(answers) <= unprocessed:
            key = {"pk": {"S": "identifier#A#1"}, "sk": {"S": "patient"}}
            parsed["Responses"] = {}
            parsed["UnprocessedKeys"] = {"registry": {"Keys": [key], "ConsistentRead": True}}

    dynamodb.meta.events.register("after-call.dynamodb.BatchGetItem", leave_unprocessed)
    if recovers:
        assert table.filed_under([("A", "1")], []).patients == {("A", "1"): ("p",)}
        assert len(answers) == 2
    else:
        with pytest.raises(DependencyUnavailableError, match="unprocessed"):
            table.filed_under([("A", "1")], [])
        assert len(answers) == table.TRIES


def filed_patient(file_item: Callable[[Item], None], *related: str, **more: Any) -> None:
    file_item({"pk": "identifier#A#1", "sk": "patient", "patient_id": "p"})
    file_item({"pk": "patient#p", "sk": "patient", "family": "Okafor", **more})
    for who in related:
        file_item({"pk": "patient#p", "sk": f"provider#{who}", "relationship": "care_team"})
        file_item({"pk": f"provider#{who}", "sk": "provider", "email": f"{who}@clinic.example"})


def test_whom_a_hint_leaves_out_is_found_all_the_same(
    aws: Any, file_item: Callable[[Item], None]
) -> None:
    filed_patient(file_item, "a", "b", circle={"a", "b"})
    for hint in ((), ("a",), ("a", "b"), ("gone",)):
        found = table.care_file("p", hint)
        assert {known.provider_id for known in found.relationships} == {"a", "b"}, hint
        assert {"a", "b"} <= found.providers.keys()


def test_a_patient_whose_circle_is_not_said_has_the_partition_read(
    aws: Any, file_item: Callable[[Item], None]
) -> None:
    filed_patient(file_item, "a", "b")
    found = table.care_file("p", ("a",))
    assert {known.provider_id for known in found.relationships} == {"a", "b"}
    assert set(found.providers) == {"a", "b"}


def event_of(*identifiers: PatientIdentifier, **more: Any) -> PatientEvent:
    described = Patient(identifiers=identifiers, name=Name("Okafor"))
    return PatientEvent("e", "A03", EventKind.DISCHARGE, True, "2.5", patient=described, **more)


def test_a_merged_patient_is_told_of_as_the_survivor_and_both_are_recorded(
    aws: Any, file_item: Callable[[Item], None]
) -> None:
    filed_patient(file_item, "a", merged_into="q", circle={"a"})
    file_item({"pk": "patient#q", "sk": "patient", "family": "Okafor", "circle": {"b"}})
    file_item({"pk": "patient#q", "sk": "provider#b", "relationship": "primary_care"})
    file_item({"pk": "provider#b", "sk": "provider", "email": "b@clinic.example"})

    identities = resolve(event_of(PatientIdentifier("1", "A")), "")

    assert identities is not None
    assert identities.patient_id == "q"
    assert identities.merged_from == (reference_keys().reference("patient", "p"),)
    assert [told.provider_id for told in identities.recipients] == ["a", "b"]


def test_merges_that_never_end_are_the_registrys_fault(
    aws: Any, file_item: Callable[[Item], None]
) -> None:
    filed_patient(file_item, merged_into="p")
    with pytest.raises(ConfigurationError, match="merges"):
        resolve(event_of(PatientIdentifier("1", "A")), "")


@pytest.mark.parametrize(
    ("kind", "authority", "told"),
    [
        ("facility", "NORTHGEN", ["snf"]),
        ("person", "NORTHGEN", []),
        ("facility", "SOUTHGEN", []),
        ("facility", "", []),
    ],
)
def test_the_facility_a_patient_goes_to_is_told_when_it_is_filed_under_the_senders_own_code(
    aws: Any, file_item: Callable[[Item], None], kind: str, authority: str, told: list[str]
) -> None:
    filed_patient(file_item, circle={"nobody"})
    file_item({"pk": "provider-identifier#NORTHGEN#SNF80", "sk": "provider", "provider_id": "snf"})
    file_item({"pk": "provider#snf", "sk": "provider", "email": "s@snf.example", "kind": kind})
    event = event_of(PatientIdentifier("1", "A"), visit=Visit(discharged_to="SNF80"))

    identities = resolve(event, authority)

    assert identities is not None
    assert [who.provider_id for who in identities.recipients] == told
    admitted = resolve(replace(event, event_kind=EventKind.ADMISSION), authority)
    assert admitted is not None
    assert not admitted.recipients
