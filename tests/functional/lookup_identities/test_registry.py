from collections.abc import Callable
from typing import Any

import pytest

from lambdas.common.aws import client
from lambdas.common.errors import DependencyUnavailableError
from lambdas.common.models import Name, Patient, PatientEvent, PatientIdentifier
from lambdas.lookup_identities import registry
from lambdas.lookup_identities.registry_items import items
from lambdas.lookup_identities.resolving import resolve
from tests.functional.lookup_identities.conftest import Item


def test_ten_recipients_cost_three_round_trips(aws: Any, file_item: Callable[[Item], None]) -> None:
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
    identities = resolve(PatientEvent("e", "A01", "admission", True, "2.5", patient=described), "")
    assert identities is not None
    assert len(identities.recipients) == 10
    assert calls == ["BatchGetItem", "Query", "BatchGetItem"]


def test_more_keys_than_a_batch_takes_are_asked_for_in_several(
    aws: Any, file_item: Callable[[Item], None]
) -> None:
    file_item({"pk": "identifier#A#249", "sk": "patient", "patient_id": "p"})
    pairs = [("A", str(number)) for number in range(250)]
    assert registry.filed_under([*pairs, *pairs], []).patients == {("A", "249"): ("p",)}


def test_nothing_to_look_up_makes_no_call(environment: dict[str, str]) -> None:
    found = registry.filed_under([], [])
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
    monkeypatch.setattr("lambdas.lookup_identities.registry.time.sleep", lambda _: None)
    dynamodb, answers = client("dynamodb"), []

    def leave_unprocessed(parsed: dict[str, Any], **_: Any) -> None:
        answers.append(parsed)
        if len(answers) <= unprocessed:
            key = {"pk": {"S": "identifier#A#1"}, "sk": {"S": "patient"}}
            parsed["Responses"] = {}
            parsed["UnprocessedKeys"] = {"registry": {"Keys": [key], "ConsistentRead": True}}

    dynamodb.meta.events.register("after-call.dynamodb.BatchGetItem", leave_unprocessed)
    if recovers:
        assert registry.filed_under([("A", "1")], []).patients == {("A", "1"): ("p",)}
        assert len(answers) == 2
    else:
        with pytest.raises(DependencyUnavailableError, match="unprocessed"):
            registry.filed_under([("A", "1")], [])
        assert len(answers) == registry.TRIES
